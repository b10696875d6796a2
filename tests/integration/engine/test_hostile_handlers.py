"""Whatever a handler or a middleware does, its run ends in a state that people can read."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from jobs import Backoff, Cancel, JobContext, Snooze, job_type
from jobs.backends.memory import drain
from jobs.domain.outcomes import Retrying
from jobs.domain.registry import registry
from jobs.models import Job
from jobs.public import get, submit
from jobs.runtime.execution import Execution, Next
from jobs.selectors import history

pytestmark = pytest.mark.usefixtures("memory")
SURROGATE = "half \ud800 of a pair"


class Nothing(BaseModel):
    pass


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this")


def odd_progress(ctx: JobContext) -> str:
    ctx.progress(1, "a")
    ctx.progress(50, None)  # type: ignore[arg-type]
    return "done"


def surrogate_progress(ctx: JobContext) -> str:
    ctx.progress(1, SURROGATE)
    ctx.log(SURROGATE, told="\0")
    return "done"


def surrogate_cancel(ctx: JobContext) -> str:
    raise Cancel(SURROGATE)


def nul_snooze(ctx: JobContext) -> str:
    raise Snooze(timedelta(0), "nul \0 nul")


def unspeakable(ctx: JobContext) -> str:
    raise Unspeakable


@pytest.fixture
def ended() -> Iterator[Callable[[Callable[[JobContext], Any]], Job]]:
    """Run a handler of this module once, and return its job."""

    def run(handler: Callable[[JobContext], Any]) -> Job:
        def handle(params: Nothing, ctx: JobContext) -> Any:
            return handler(ctx)

        job_type("hostile.one", max_attempts=1)(handle)
        job_id = submit("hostile.one").job_id
        drain()
        return get(job_id)

    yield run
    registry._types.pop("hostile.one", None)


@pytest.mark.parametrize(
    ("handler", "state", "error"),
    [
        (odd_progress, "completed", ""),
        (surrogate_progress, "completed", ""),
        (surrogate_cancel, "cancelled", "half ? of a pair"),
        (nul_snooze, "retrying", ""),
        (unspeakable, "failed", "a Unspeakable that has no text"),
    ],
)
def test_what_cannot_be_stored_as_it_is_ends_no_differently(
    ended: Callable[[Callable[[JobContext], Any]], Job],
    handler: Callable[[JobContext], Any],
    state: str,
    error: str,
) -> None:
    job = ended(handler)
    assert (job.state, job.error) == (state, error)


class ReturnsNothing:
    def __init__(self, get_outcome: Next) -> None:
        self.get_outcome = get_outcome

    def __call__(self, execution: Execution) -> None:
        self.get_outcome(execution)


class PutsOffForEver:
    def __init__(self, get_outcome: Next) -> None:
        self.get_outcome = get_outcome

    def __call__(self, execution: Execution) -> Retrying:
        return Retrying(timedelta(days=900_000_000), RuntimeError("never again"))


@pytest.mark.parametrize(
    ("middleware", "told"),
    [
        (ReturnsNothing, "a middleware returned None, which is no outcome"),
        (PutsOffForEver, "its outcome cannot be recorded: date value out of range"),
    ],
)
def test_a_middleware_that_returns_nonsense_fails_the_job_readably(
    configure: Any, middleware: type, told: str
) -> None:
    configure(middleware=[f"{__name__}.{middleware.__name__}"])
    job_id = submit("sample.echo").job_id
    drain()
    job = get(job_id)
    assert (job.state, job.failure_reason, job.error_type) == (
        "failed", "permanent_error", "UnusableOutcome",
    )  # fmt: skip
    assert told in job.error
    assert [each.outcome for each in history.attempts(job)] == ["error"]


def test_a_back_off_ends_before_the_dates_do() -> None:
    with pytest.raises(Exception, match="cap <= 3660 days"):
        Backoff.exponential(timedelta(days=1), timedelta(days=10**8))
