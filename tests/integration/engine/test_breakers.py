"""Outside services that fail again and again are left alone for a while."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from jobs import JobContext, PermanentError, job_type
from jobs.backends.memory import drain
from jobs.domain.events import Event
from jobs.domain.registry import registry
from jobs.models import AuditEntry, Breaker
from jobs.public import get, submit
from jobs.runtime.metrics import exposition
from jobs.services import breakers

pytestmark = pytest.mark.usefixtures("memory")


class Call(BaseModel):
    host: str = "a"
    asks: str = "well"


CALLS: list[str] = []
DOWN: set[str] = set()


@pytest.fixture(autouse=True)
def _called(configure: Any) -> Iterator[None]:
    configure(backend="memory", breaker_failures=3, breaker_open_seconds=30)
    CALLS.clear()
    DOWN.clear()
    breakers._closed_until.clear()

    @job_type("breaker.call", max_attempts=1, service=lambda params: f"host {params.host}")
    def call(params: Call, ctx: JobContext) -> str:
        """Call a host."""
        CALLS.append(params.host)
        if params.asks == "badly":
            raise PermanentError("no such thing")
        if params.host in DOWN:
            raise ConnectionError(f"{params.host} is down")
        return "answered"

    yield
    registry._types.pop("breaker.call")


def call(host: str = "a", **params: Any) -> UUID:
    return submit("breaker.call", {"host": host, **params}).job_id


def fail(times: int, host: str = "a") -> None:
    DOWN.add(host)
    for _ in range(times):
        call(host)
        drain()


def passed() -> None:
    """Let the time pass in which it is left alone."""
    length = timedelta(seconds=31)
    breaker = Breaker.objects.get()
    if breaker.opened_at:
        breaker.opened_at -= length
    if breaker.probe_until:
        breaker.probe_until -= length
    breaker.save()


def test_after_failures_in_a_row_jobs_are_put_off_and_spend_no_attempt() -> None:
    fail(3)
    assert Breaker.objects.get().state == "open"
    assert Breaker.objects.get().last_error == "ConnectionError: a is down"
    put_off = call()
    drain()
    job = get(put_off)
    assert (job.state, job.attempt, len(CALLS)) == ("retrying", 0, 3)
    wait = job.run_at - datetime.now(UTC)
    assert timedelta(seconds=25) < wait < timedelta(seconds=61)
    call("b")
    drain()
    assert CALLS[-1] == "b"  # another service is another breaker


def test_one_tries_it_and_if_that_goes_well_all_go_on() -> None:
    fail(3)
    waiting = [call() for _ in range(5)]
    drain()
    passed()
    DOWN.clear()
    CALLS.clear()
    assert breakers.wait_for("host a") is None
    assert breakers.wait_for("host a") is not None  # the others wait for the one
    passed()
    drain(now=datetime.now(UTC) + timedelta(minutes=2))
    assert Breaker.objects.get().state == "closed"
    drain(now=datetime.now(UTC) + timedelta(minutes=3))
    assert {get(each).state for each in waiting} == {"completed"}


def test_if_it_fails_it_is_left_alone_again() -> None:
    fail(3)
    passed()
    CALLS.clear()
    call()
    drain()
    breaker = Breaker.objects.get()
    assert (breaker.state, breaker.openings, CALLS) == ("open", 2, ["a"])
    call()
    drain()
    assert CALLS == ["a"]


def test_failures_that_are_long_past_do_not_count() -> None:
    fail(2)
    Breaker.objects.update(window_began_at=datetime.now(UTC) - timedelta(minutes=2))
    fail(2)
    assert (Breaker.objects.get().state, Breaker.objects.get().failures) == ("closed", 2)


def test_what_can_never_succeed_is_no_failure_of_the_service() -> None:
    for _ in range(5):
        call(asks="badly")
        drain()
    assert not Breaker.objects.exists()
    assert len(CALLS) == 5


def test_zero_turns_them_off(configure: Any) -> None:
    configure(backend="memory", breaker_failures=0)
    fail(10)
    assert not Breaker.objects.exists()


def test_one_is_reset_by_hand() -> None:
    fail(3)
    assert breakers.reset("host a", actor="ada")
    assert not breakers.reset("host a", actor="ada")
    DOWN.clear()
    call()
    drain()
    assert len(CALLS) == 4
    assert AuditEntry.objects.get(action="breaker.reset").actor == "ada"


@pytest.mark.django_db(transaction=True)
def test_events_and_a_series_tell_of_it(events: list[Event]) -> None:
    fail(3)
    assert b'jobsite_breaker_open{service="host a"} 1.0' in exposition()
    breakers.reset("host a", actor="ada")
    assert b'jobsite_breaker_open{service="host a"} 0.0' in exposition()
    told = [each for each in events if each.name.startswith("breaker")]
    assert [each.name for each in told] == ["breaker_opened", "breaker_closed"]
    assert told[0].details == {"service": "host a", "failures": 3}


def test_without_a_service_nothing_is_asked(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert registry.get("sample.echo").service_of(Call()) == ""
