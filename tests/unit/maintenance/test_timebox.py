"""What hangs is cut off, costs one thread, and is tried anew after a while."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from maintenance import timebox
from maintenance.timebox import TookTooLong, begin


class Hanging:
    """A function that returns when it is released."""

    def __init__(self) -> None:
        self.calls = 0
        self.released = threading.Event()

    def __call__(self) -> int:
        self.calls += 1
        self.released.wait(30)
        return self.calls


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    function = Hanging()
    yield function
    function.released.set()


def soon(seconds: float = 10) -> float:
    return time.monotonic() + seconds


def test_it_returns_what_the_function_returns() -> None:
    run = begin(lambda: 42)
    assert run.result(until=soon()) == 42
    assert run.seconds is not None


def test_it_raises_what_the_function_raises() -> None:
    def broken() -> None:
        raise LookupError("here")

    with pytest.raises(LookupError, match="here"):
        begin(broken).result(until=soon())


def test_it_runs_in_a_thread_that_does_not_hold_up_the_end_of_the_process() -> None:
    assert begin(threading.current_thread).result(until=soon()).daemon


def test_what_hangs_is_cut_off(hanging: Hanging) -> None:
    began = time.monotonic()
    with pytest.raises(TookTooLong):
        begin(hanging).result(until=soon(0.05))
    assert time.monotonic() - began < 5


def test_all_who_ask_meanwhile_share_one_call(hanging: Hanging) -> None:
    runs = [begin(hanging) for _ in range(5)]
    hanging.released.set()
    assert [run.result(until=soon()) for run in runs] == [1] * 5


def test_after_it_ended_the_next_one_calls_again(hanging: Hanging) -> None:
    hanging.released.set()
    assert [begin(hanging).result(until=soon()) for _ in range(3)] == [1, 2, 3]
    assert hanging not in timebox._under_way


def test_a_call_that_hangs_for_long_is_given_up(
    hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = begin(hanging)
    monkeypatch.setattr(timebox, "GIVEN_UP_AFTER", timedelta(0))
    second = begin(hanging)
    assert second is not first
    hanging.released.set()
    second.result(until=soon())
    first.result(until=soon())
    assert hanging.calls == 2
    assert hanging not in timebox._under_way
