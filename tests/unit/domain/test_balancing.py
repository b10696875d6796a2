"""Which worker a bell wakes, turn by turn."""

from collections import Counter

import pytest

from jobs.domain.balancing import Candidate, Choice, Strategy
from jobs.domain.turns import Turns


def worker(name: str, *, slots: int = 1, busy: int = 0, queues: str = "normal") -> Candidate:
    return Candidate(name, frozenset(queues.split()), slots, busy)


def choice(strategy: Strategy) -> Choice:
    return Choice(strategy, skip=lambda _length: 0)


def chosen(choice: Choice, workers: list[Candidate], count: int) -> str:
    return " ".join(str(choice.choose("normal", workers)) for _ in range(count))


def test_round_robin_goes_round_whatever_the_slots() -> None:
    workers = [worker("a", slots=5), worker("b"), worker("c", slots=2, busy=1)]
    assert chosen(choice("round_robin"), workers, 7) == "a b c a b c a"


def test_weighted_goes_by_the_slots_and_spreads_each_workers_turns() -> None:
    workers = [worker("a", slots=5), worker("b"), worker("c")]
    assert chosen(choice("weighted"), workers, 14) == "a a b a c a a a a b a c a a"


def test_weighted_keeps_the_proportion_in_each_round() -> None:
    workers = [worker("a", slots=1), worker("b", slots=2), worker("c", slots=3)]
    turns = choice("weighted")
    for _ in range(50):
        assert Counter(chosen(turns, workers, 6).split()) == {"a": 1, "b": 2, "c": 3}


def test_least_loaded_goes_by_the_part_of_the_slots_that_is_taken() -> None:
    workers = [worker("a", slots=2, busy=1), worker("b", slots=4, busy=1), worker("c", slots=8)]
    assert chosen(choice("least_loaded"), workers, 2) == "c c"
    assert chosen(choice("least_loaded"), workers[:2], 2) == "b b"


def test_least_loaded_takes_equals_in_turns() -> None:
    workers = [worker("a", slots=2, busy=1), worker("b", slots=4, busy=2), worker("c", busy=1)]
    assert chosen(choice("least_loaded"), workers, 4) == "a b a b"


@pytest.mark.parametrize("strategy", ["round_robin", "least_loaded", "weighted"])
class TestEach:
    def test_wakes_none_whose_slots_are_all_taken(self, strategy: Strategy) -> None:
        workers = [worker("a", busy=1), worker("b"), worker("c", slots=2, busy=3)]
        assert chosen(choice(strategy), workers, 3) == "b b b"

    def test_chooses_nobody_when_no_slot_is_free(self, strategy: Strategy) -> None:
        assert choice(strategy).choose("normal", [worker("a", busy=1)]) is None
        assert choice(strategy).choose("normal", []) is None

    def test_wakes_only_those_that_listen(self, strategy: Strategy) -> None:
        workers = [worker("a", queues="high normal"), worker("b", queues="high")]
        assert chosen(choice(strategy), workers, 2) == "a a"
        assert choice(strategy).choose("low", workers) is None

    def test_has_turns_of_its_own_for_each_queue(self, strategy: Strategy) -> None:
        workers = [worker("a", queues="high low"), worker("b", queues="high low")]
        turns = choice(strategy)
        order = [turns.choose(queue, workers) for queue in ("high", "low") * 3]
        assert order == ["a", "a", "b", "b", "a", "a"]


def test_who_was_busy_for_a_while_gets_no_more_than_its_turn_afterwards() -> None:
    turns = choice("round_robin")
    free, busy = [worker("a"), worker("b")], [worker("a", busy=1), worker("b")]
    assert chosen(turns, free, 2) == "a b"
    assert chosen(turns, busy, 100) == " ".join("b" * 100)
    assert chosen(turns, free, 4) == "a b a b"


def test_who_comes_joins_and_who_goes_is_forgotten() -> None:
    turns = choice("round_robin")
    assert chosen(turns, [worker("a"), worker("b")], 3) == "a b a"
    assert sorted(chosen(turns, [worker("b"), worker("c")], 4).split()) == ["b", "b", "c", "c"]
    assert set(turns._turns["normal"]._current) == {"b", "c"}


def test_the_first_turn_of_a_process_is_anyones_in_proportion() -> None:
    """Commands that each ring once would otherwise all wake the same worker."""
    skips = iter(range(3))
    firsts = [Turns[str](lambda _length: next(skips)).next({"a": 1, "b": 2}) for _ in range(3)]
    assert Counter(firsts) == {"a": 1, "b": 2}
    assert {Turns[str]().next({"a": 1, "b": 1}) for _ in range(100)} == {"a", "b"}
