import itertools

import pytest

from jobs.domain.errors import InvalidTransition
from jobs.domain.states import FINAL, State, check_transition, states_named

#: As the documentation has it, and in words of its own: the code's table is what is tested.
LEADS_TO = {
    "blocked": {"scheduled", "queued", "failed", "cancelled"},
    "scheduled": {"queued", "failed", "cancelled"},
    "queued": {"running", "failed", "cancelled"},
    "running": {"queued", "retrying", "completed", "failed", "cancelled"},
    "retrying": {"queued", "failed", "cancelled"},
    "completed": set(),
    "failed": {"queued", "blocked"},
    "cancelled": {"queued", "blocked"},
}


@pytest.mark.parametrize(("before", "after"), [*itertools.product(State, State)])
def test_a_state_leads_where_it_may_and_nowhere_else(before: State, after: State) -> None:
    if after in LEADS_TO[before]:
        check_transition(before, after)
    else:
        with pytest.raises(InvalidTransition, match=rf"{before}.*{after}"):
            check_transition(before, after)


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
