import pytest

from jobs.domain.errors import InvalidTransition
from jobs.domain.states import FINAL, TRANSITIONS, State, check_transition, states_named


def test_every_state_has_its_transitions() -> None:
    assert set(TRANSITIONS) == set(State)


def test_completed_is_the_end() -> None:
    for after in State:
        with pytest.raises(InvalidTransition, match="completed"):
            check_transition(State.COMPLETED, after)


def test_a_queued_job_may_run() -> None:
    check_transition(State.QUEUED, State.RUNNING)


def test_an_illegal_transition_names_what_is_allowed() -> None:
    with pytest.raises(InvalidTransition, match=r"queued.*may become"):
        check_transition(State.QUEUED, State.COMPLETED)


@pytest.mark.parametrize(
    ("alias", "states"),
    [
        ("pending", {"blocked", "scheduled", "queued", "retrying"}),
        ("PENDING", {"blocked", "scheduled", "queued", "retrying"}),
        ("PROCESSING", {"running"}),
        ("active", {"running"}),
        ("waiting", {"queued"}),
        ("delayed", {"scheduled", "retrying"}),
        ("dead", {"failed"}),
        ("success", {"completed"}),
        ("failed", {"failed"}),
    ],
)
def test_aliases_name_states(alias: str, states: set[str]) -> None:
    assert states_named(alias) == states


def test_an_unknown_state_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'lost' is not a state.*queued"):
        states_named("lost")


def test_what_is_final() -> None:
    assert {"completed", "failed", "cancelled"} == FINAL
