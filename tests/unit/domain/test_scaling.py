"""How many slots a worker should have."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.domain.errors import ConfigurationError
from jobs.domain.scaling import CALM_LOOKS, Bounds, Decision, Load, decide

BOUNDS = Bounds(2, 8)


def decided(bounds: Bounds = BOUNDS, calm_looks: int = 0, **load: Any) -> Decision:
    known = {"slots": 2, "busy": 0, "ready": 0, **load}
    return decide(Load(**known), bounds, wait_seconds=10, calm_looks=calm_looks)


@pytest.mark.parametrize(
    ("load", "slots"),
    [
        # What drains it in ten seconds, at once.
        ({"ready": 30, "run_seconds": 1, "busy": 2}, 3),
        ({"ready": 31, "run_seconds": 1, "busy": 2}, 4),
        ({"ready": 100_000, "run_seconds": 1, "busy": 2}, 8),
        # Many quick ones need no more slots than there are.
        ({"ready": 1000, "run_seconds": 0.01, "busy": 2}, 2),
        # No more than there are jobs for, however long they are.
        ({"ready": 1, "run_seconds": 600, "busy": 2}, 3),
        ({"ready": 1, "run_seconds": 600, "busy": 1}, 2),
        # Of unknown length: a slot for each.
        ({"ready": 5, "busy": 0}, 5),
        # A backlog that nobody counted to its end.
        ({"ready": 10_000, "is_cut": True, "run_seconds": 0.0001, "busy": 2}, 8),
        # Others help.
        ({"ready": 60, "run_seconds": 1, "busy": 2, "others": 2}, 4),
        ({"ready": 60, "run_seconds": 1, "busy": 2, "others": 20}, 2),
        # Outside its bounds it goes back at once.
        ({"slots": 1}, 2),
        ({"slots": 12, "busy": 12, "ready": 1000}, 8),
    ],
)
def test_it_grows_straight_to_what_the_backlog_needs(load: dict[str, Any], slots: int) -> None:
    decision = decided(**load)
    assert decision.slots == slots
    assert not decision.calm


def test_it_says_why() -> None:
    told = decided(ready=31, run_seconds=1.23456, busy=2).why
    assert told == "31 jobs ready of 1.23 s each, to be drained in 10 s"
    idle = decided(slots=8, busy=1, calm_looks=CALM_LOOKS)
    assert idle.why == "1 of 8 slots busy, 0 jobs ready"
    assert decided(slots=1).why == "from 2 to 8 are allowed"


def test_idle_it_shrinks_step_by_step_to_the_minimum() -> None:
    seen, slots, calm = [], 8, 0
    for _ in range(9):
        decision = decided(slots=slots, calm_looks=calm)
        slots, calm = decision.slots, calm + 1 if decision.calm else 0
        seen.append(slots)
    assert seen == [8, 8, 5, 3, 2, 2, 2, 2, 2]


def test_it_never_gives_up_slots_that_are_busy() -> None:
    assert decided(slots=8, busy=7, calm_looks=CALM_LOOKS).slots == 7
    assert decided(slots=8, busy=8, calm_looks=CALM_LOOKS) == Decision(8, "as many as are needed")


def test_a_load_that_comes_and_goes_does_not_make_it_flutter() -> None:
    slots, calm, seen = 2, 0, set()
    for look in range(40):
        load: dict[str, Any] = {"ready": 80, "run_seconds": 1, "busy": 8} if look % 2 == 0 else {}
        decision = decided(slots=slots, calm_looks=calm, **load)
        slots, calm = decision.slots, calm + 1 if decision.calm else 0
        seen.add(slots)
    assert seen == {8}


def test_a_profile_caps_the_bounds() -> None:
    assert BOUNDS.capped(None) is BOUNDS
    assert BOUNDS.capped(5) == Bounds(2, 5)
    assert BOUNDS.capped(1) == Bounds(1, 1)
    assert BOUNDS.capped(9) == Bounds(2, 9)


@pytest.mark.parametrize(("least", "most"), [(0, 4), (5, 4), (1, 0)])
def test_bounds_with_nothing_between_them_are_refused(least: int, most: int) -> None:
    with pytest.raises(ConfigurationError, match=f"from {least} to {most} slots: MIN_WORKERS"):
        Bounds(least, most)


bounds = st.tuples(st.integers(1, 50), st.integers(1, 50)).map(
    lambda pair: Bounds(min(pair), max(pair))
)
loads = st.builds(
    Load,
    slots=st.integers(0, 80),
    busy=st.integers(0, 80),
    ready=st.integers(0, 20_000),
    is_cut=st.booleans(),
    run_seconds=st.none() | st.floats(0, 3600),
    others=st.integers(0, 100),
)
looks = st.integers(0, 10)


@given(load=loads, within=bounds, calm=looks)
def test_it_never_leaves_its_bounds(load: Load, within: Bounds, calm: int) -> None:
    decision = decide(load, within, wait_seconds=10, calm_looks=calm)
    assert within.minimum <= decision.slots <= within.maximum


@given(load=loads, within=bounds, calm=looks, more=st.integers(0, 20_000))
def test_more_backlog_never_means_fewer_slots(
    load: Load, within: Bounds, calm: int, more: int
) -> None:
    fields = {name: getattr(load, name) for name in Load.__slots__}
    larger = Load(**{**fields, "ready": load.ready + more})
    decisions = [
        decide(each, within, wait_seconds=10, calm_looks=calm).slots for each in (load, larger)
    ]
    assert decisions == sorted(decisions)
