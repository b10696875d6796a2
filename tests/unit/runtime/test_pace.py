"""How many jobs share a take."""

from jobs.runtime.pace import Pace


def sizes(pace: Pace, run_seconds: float, takes: int) -> list[int]:
    """Return the sizes of takes that come back full of runs of this length."""
    seen = []
    for _ in range(takes):
        seen.append(pace.size)
        pace.note_take(pace.size, pace.size * run_seconds)
    return seen


def test_it_begins_with_one_and_doubles_up_to_the_limit() -> None:
    pace = Pace(limit=100, budget_seconds=0.05)
    assert sizes(pace, 0.0001, 9) == [1, 2, 4, 8, 16, 32, 64, 100, 100]


def test_what_fits_into_the_time_is_taken() -> None:
    assert sizes(Pace(limit=100, budget_seconds=0.05), 0.005, 6) == [1, 2, 4, 8, 10, 10]


def test_slow_jobs_are_taken_one_by_one() -> None:
    assert sizes(Pace(limit=100, budget_seconds=0.05), 2, 3) == [1, 1, 1]


def test_one_slow_take_makes_the_next_small() -> None:
    pace = Pace(limit=100, budget_seconds=0.05)
    sizes(pace, 0.0001, 9)
    pace.note_take(2, 1.0)
    assert pace.size == 1


def test_a_type_that_was_never_seen_is_not_quick() -> None:
    pace = Pace(limit=100, budget_seconds=0.05)
    assert not pace.is_quick("mail.send")
    pace.note_run("mail.send", 0.001)
    assert pace.is_quick("mail.send")
    for _ in range(20):
        pace.note_run("mail.send", 0.2)
    assert not pace.is_quick("mail.send")
