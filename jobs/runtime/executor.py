"""Runs taken jobs, one by one, each through the middleware chain to its recorded outcome."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Sequence

import structlog
from django.utils import timezone

from jobs.domain.context import JobContext
from jobs.domain.errors import (
    ConfigurationError,
    InvalidParameters,
    UnknownJobType,
    Unreadable,
    UnusableOutcome,
)
from jobs.domain.outcomes import Completed, Failed, Outcome
from jobs.domain.registry import registry
from jobs.domain.states import FailureReason
from jobs.models import Job
from jobs.runtime.allowed_types import allowed_types
from jobs.runtime.chain import chain
from jobs.runtime.execution import Execution
from jobs.runtime.interruption import interruption
from jobs.runtime.pace import Pace
from jobs.runtime.recorder import JobRecorder
from jobs.runtime.recording import OutcomeBuffer, record, surely
from jobs.runtime.worker_process import worker_process
from jobs.selectors.policy import policy_of
from jobs.services.encryption import open_params
from jobs.services.limits import take_within_limits
from jobs.services.taking import Taker, Wanted, announce_start, give_back

logger = structlog.get_logger(__name__)


def run_ready(
    taker: Taker,
    queues: Sequence[str],
    *,
    pace: Pace | None = None,
    on_full: Callable[[Job], None] = lambda _job: None,
    go_on: Callable[[], bool] = lambda: True,
    seconds: float = 1.0,
) -> tuple[int, bool]:
    """Take and run ready jobs of these queues, best first, until there is none.

    Args:
        taker: who takes.
        queues: the queues to take from.
        pace: how many jobs share a take; None: each is taken by itself.
        on_full: called with the first job of the first take, before it runs, if there may be more.
        go_on: asked before each run; False ends the work, and what was taken is given back.
        seconds: no further job is taken after this long.

    Returns:
        How many were run, and whether there may be more.

    Raises:
        OUTAGES: the database is away, read-only or full while taking; no job is held then.
    """
    with interruption.alarms():
        return _run_ready(taker, queues, pace, on_full, go_on, seconds)


def _run_ready(
    taker: Taker,
    queues: Sequence[str],
    pace: Pace | None,
    on_full: Callable[[Job], None],
    go_on: Callable[[], bool],
    seconds: float,
) -> tuple[int, bool]:
    ends = time.monotonic() + seconds
    ran = 0
    while go_on():
        limit = pace.size if pace else 1
        jobs = take_within_limits(
            taker,
            queues,
            limit=limit,
            wanted=Wanted(types=allowed_types.now()),
            crowded=worker_process.crowded,
        )
        if not jobs:
            return ran, False
        if not ran and len(jobs) == limit:
            on_full(jobs[0])
        if pace is None:
            execute(jobs[0])
            ran += 1
        else:
            ran += _run_take(jobs, pace, go_on)
        if time.monotonic() >= ends:
            return ran, True
    return ran, True


def _run_take(jobs: Sequence[Job], pace: Pace, go_on: Callable[[], bool]) -> int:
    """Run the jobs of one take within the time it has; give back those that do not fit in.

    No job waits behind one that is slow, as far as anyone knows beforehand.
    """
    buffer = _buffer()
    began = time.monotonic()
    ends = began + pace.budget_seconds
    left = list(reversed(jobs))
    ran = 0
    try:
        while left and (not ran or (time.monotonic() < ends and go_on())):
            job = left.pop()
            run_began = time.monotonic()
            quick = pace.is_quick(job.job_type)
            if not quick:
                buffer.flush()
                _give_back(left)
            if ran:
                job.started_at = timezone.now()
            execute(job, buffer if quick and len(jobs) > 1 else None)
            ran += 1
            pace.note_run(job.job_type, time.monotonic() - run_began)
    finally:
        buffer.flush()
        _give_back(left)
        if worker_process.slot is not None:
            worker_process.slot.end()
    pace.note_take(ran, time.monotonic() - began)
    return ran


def _give_back(jobs: list[Job]) -> None:
    """Give the jobs back, and hold them no longer."""
    surely(lambda: give_back(jobs))
    jobs.clear()


_buffers = threading.local()


def _buffer() -> OutcomeBuffer:
    """Return this thread's; a forked process makes its own."""
    held: tuple[int, OutcomeBuffer] | None = getattr(_buffers, "held", None)
    if held is None or held[0] != os.getpid():
        held = _buffers.held = (os.getpid(), OutcomeBuffer())
    return held[1]


def execute(job: Job, buffer: OutcomeBuffer | None = None) -> Outcome:
    """Run a taken job and record how it ended; whatever its handler does, this returns.

    Args:
        job: as it was taken.
        buffer: where its completion waits to be written with others'; None: it is written at once.
    """
    recorder = JobRecorder(job)
    slot = worker_process.slot
    if slot is not None:
        slot.begin(job)
    announce_start(job)
    outcome = _outcome(job, recorder)
    # The last report is worth less than the outcome, whatever is wrong with it.
    with contextlib.suppress(Exception):
        recorder.flush()
    if slot is not None:
        slot.record()
    if buffer is not None and isinstance(outcome, Completed):
        buffer.add(job, outcome)
        return outcome
    outcome = record(job, outcome)
    if slot is not None and buffer is None:
        slot.end()
    return outcome


def _outcome(job: Job, recorder: JobRecorder) -> Outcome:
    try:
        job_type = registry.get(job.job_type)
        stored = open_params(job_type, job.params) if job_type.sensitive else job.params
        params = job_type.parse(stored)
    except (UnknownJobType, InvalidParameters) as error:
        logger.error("job_unrunnable", job_id=str(job.pk), job_type=job.job_type, error=str(error))
        return Failed(FailureReason.PERMANENT_ERROR, error)
    except (Unreadable, ConfigurationError) as error:
        # Another worker may have the key, or this one soon.
        logger.error("job_unreadable", job_id=str(job.pk), job_type=job.job_type, error=str(error))
        return policy_of(job).decide(error, attempt=job.attempt)
    execution = Execution(
        job=job,
        job_type=job_type,
        params=params,
        context=_context(job, recorder),
    )
    try:
        ended: object = chain()(execution)  # someone's middleware: not to be believed
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a middleware's error ends the attempt
        return execution.policy.decide(error, attempt=job.attempt)
    if isinstance(ended, Outcome):
        return ended
    unusable = UnusableOutcome(f"a middleware returned {ended!r}, which is no outcome")
    return Failed(FailureReason.PERMANENT_ERROR, unusable)


def _context(job: Job, recorder: JobRecorder) -> JobContext:
    return JobContext(
        job_type=job.job_type,
        job_id=job.pk,
        attempt=job.attempt,
        max_attempts=job.max_attempts,
        run=job.run,
        deadline=job.started_at + job.timeout if job.started_at else None,
        event_id=job.event_id,
        tenant=job.tenant,
        trace_id=job.trace_id,
        recorder=recorder,
    )
