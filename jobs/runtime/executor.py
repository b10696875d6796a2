"""Runs taken jobs, one by one, each through the middleware chain to its recorded outcome."""

import contextlib
import time
from collections.abc import Callable, Sequence

import structlog
from django.db import close_old_connections
from django.utils import timezone

from jobs.domain.context import JobContext
from jobs.domain.errors import InvalidParameters, UnknownJobType, UnusableOutcome
from jobs.domain.outcomes import Failed, Outcome
from jobs.domain.registry import registry
from jobs.domain.states import FailureReason
from jobs.models import Job
from jobs.runtime.chain import chain
from jobs.runtime.execution import Execution
from jobs.runtime.recorder import JobRecorder
from jobs.runtime.worker_process import worker_process
from jobs.selectors.outages import OUTAGES
from jobs.selectors.policy import policy_of
from jobs.services.finishing import finish
from jobs.services.taking import Taker, announce_start, give_back, take

logger = structlog.get_logger(__name__)
_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 5.0


def run_ready(
    taker: Taker,
    queues: Sequence[str],
    *,
    at_once: int = 1,
    on_first: Callable[[Job], None] = lambda _job: None,
    go_on: Callable[[], bool] = lambda: True,
    seconds: float = 1.0,
) -> tuple[int, bool]:
    """Take and run ready jobs of these queues, best first, until there is none.

    Args:
        taker: who takes.
        queues: the queues to take from.
        at_once: how many are taken by one statement, at most.
        on_first: called with the first job taken, before it runs.
        go_on: asked before each run; False ends the work, and what was taken is given back.
        seconds: no further job is taken after this long.

    Returns:
        How many were run, and whether there may be more.

    Raises:
        OUTAGES: the database is away, read-only or full while taking; no job is held then.
    """
    ends = time.monotonic() + seconds
    ran = 0
    while go_on():
        jobs = take(taker, queues, limit=at_once)
        if not jobs:
            return ran, False
        for place, job in enumerate(jobs):
            if place and (not go_on() or time.monotonic() >= ends):
                give_back(jobs[place:])
                break
            if not ran:
                on_first(job)
            if place:
                job.started_at = timezone.now()
            execute(job)
            ran += 1
        if time.monotonic() >= ends:
            return ran, True
    return ran, True


def execute(job: Job) -> Outcome:
    """Run a taken job and record how it ended; whatever its handler does, this returns."""
    recorder = JobRecorder(job)
    slot = worker_process.slot
    if slot is not None:
        slot.begin(job)
    announce_start(job)
    outcome = _outcome(job, recorder)
    # The last report is worth less than the outcome, whatever is wrong with it.
    with contextlib.suppress(Exception):
        recorder.flush()
    outcome = _record(job, outcome)
    if slot is not None:
        slot.end()
    return outcome


def _outcome(job: Job, recorder: JobRecorder) -> Outcome:
    try:
        job_type = registry.get(job.job_type)
        params = job_type.parse(job.params)
    except (UnknownJobType, InvalidParameters) as error:
        logger.error("job_unrunnable", job_id=str(job.pk), job_type=job.job_type, error=str(error))
        return Failed(FailureReason.PERMANENT_ERROR, error)
    execution = Execution(
        job=job,
        job_type=job_type,
        params=params,
        context=_context(job, recorder),
        policy=policy_of(job),
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
        trace_id=job.trace_id,
        recorder=recorder,
    )


def _record(job: Job, outcome: Outcome) -> Outcome:
    """Record the outcome, for as long as it takes the database to come back, and return it.

    The run has happened: to give up here would make it happen twice. An outcome that cannot be
    recorded for any other reason, such as a date beyond what the database knows, is replaced by a
    failure that says so.
    """
    wait = _FIRST_WAIT_SECONDS
    while True:
        try:
            finish(job, outcome)
        except OUTAGES as error:
            logger.warning("outcome_waits_for_database", job_id=str(job.pk), error=str(error))
            close_old_connections()
            time.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
        except Exception as error:
            logger.exception("outcome_unusable", job_id=str(job.pk))
            unusable = UnusableOutcome(f"its outcome cannot be recorded: {error}")
            outcome = Failed(FailureReason.PERMANENT_ERROR, unusable)
            finish(job, outcome)
            return outcome
        else:
            return outcome
