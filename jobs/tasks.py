"""The Celery tasks: the doorbell, and one of each job type's name that submits a job."""

import sys
import time
from itertools import count
from resource import RUSAGE_SELF, getrusage
from typing import Any

import structlog
from celery import Celery, Task, shared_task
from django.db import close_old_connections
from kombu import Exchange, Queue

from jobs.conf import jobs_settings
from jobs.domain.errors import QueueFull, SubmissionError
from jobs.domain.job_types import JobType
from jobs.domain.registry import registry
from jobs.models import Job
from jobs.runtime.allowed_types import allowed_types
from jobs.runtime.executor import run_ready
from jobs.runtime.listening import job_queues
from jobs.runtime.passing_on import PAUSE_SECONDS, pass_on
from jobs.runtime.worker_process import worker_process
from jobs.selectors.outages import OUTAGES
from jobs.services.doorbell import ring
from jobs.services.submission import submit

logger = structlog.get_logger(__name__)
#: Linux counts in KiB, macOS in bytes.
_MAXRSS_PER_MB = 2**20 if sys.platform == "darwin" else 2**10


@shared_task(
    name="jobs.doorbell",
    bind=True,
    ignore_result=True,
    send_events=False,
    # The rows are the truth, and the timekeeper rings again: a doorbell may be lost.
    acks_late=False,
    autoretry_for=OUTAGES,
    retry_backoff=1,
    retry_backoff_max=30,
    retry_jitter=True,
    max_retries=None,
)
def doorbell(self: "Task[Any, Any]", *_: Any, **__: Any) -> None:
    """Take and run ready jobs of every queue that this worker listens to, best first.

    A bell says nothing but that it rings: what another version of the code puts into one is not
    read. With the database away while taking, the doorbell is tried again with back-off, on a new
    connection.
    """
    try:
        _answer(self)
    except OUTAGES:
        close_old_connections()
        raise


def _answer(self: "Task[Any, Any]") -> None:
    queues = job_queues(self.app.amqp.queues.consume_from)

    def wake_another(job: Job) -> None:
        """Ring once more before the first job starts, so that as many wake as there is work."""
        ring({job.queue})

    asked = count()

    def may_go_on() -> bool:
        # Not before the first: Celery replaces a process that has grown only after a task.
        wanted = not (worker_process.stopping or worker_process.resting)
        return wanted and not (next(asked) and _has_grown())

    taker = worker_process.taker()
    _, more = run_ready(
        taker,
        queues,
        pace=worker_process.pace,
        on_full=wake_another,
        go_on=may_go_on,
    )
    types = allowed_types.now()
    if types is not None and not more:
        pass_on(queues, types)
    if more:
        if worker_process.resting:
            time.sleep(PAUSE_SECONDS)  # until the worker hears no bells any more
        rung = _rung_for(self)
        # Anyone, and be it this worker, which has just become free.
        ring({rung} if rung in queues else set(queues[:1]), anyone=True)


def _rung_for(task: "Task[Any, Any]") -> str | None:
    """Return the queue that the bell is of, which is not the one that a direct bell came by."""
    named: str | None = (task.request.headers or {}).get("job_queue")
    return named or (task.request.delivery_info or {}).get("routing_key")


def _has_grown() -> bool:
    """Return whether Celery replaces this process after this task, for its memory."""
    limit = jobs_settings().max_memory_mb
    return bool(limit) and getrusage(RUSAGE_SELF).ru_maxrss > limit * _MAXRSS_PER_MB


def register_job_types(app: Celery) -> None:
    """Give each job type a Celery task of its name, and the app the queues they need.

    Sending such a task, from any Celery client, submits the job.
    """
    exchange = Exchange("jobsite")
    # RabbitMQ keeps such a queue on several nodes; other brokers do not read the argument.
    kind = {"x-queue-type": "quorum"} if str(app.conf.broker_url).startswith("amqp") else None
    # Strict order: a worker without -Q listens to all of them, the most urgent first.
    app.conf.task_queues = [
        Queue(name, exchange, routing_key=name, queue_arguments=kind)
        for name in registry.celery_queues()
    ]
    for job_type in registry:
        _register(app, job_type)


def _register(app: Celery, job_type: JobType) -> None:
    def submit_from_message(
        self: "Task[Any, Any]", /, params: dict[str, Any] | None = None, **fields: Any
    ) -> str:
        try:
            submission = submit(
                job_type.name,
                {**(params or {}), **fields},
                # A message that comes twice makes one job.
                idempotency_key=f"celery:{self.request.id}",
                trigger=Job.Trigger.TASK,
            )
        except QueueFull:
            raise
        except SubmissionError as error:
            logger.error("message_refused", job_type=job_type.name, error=str(error))
            raise
        return str(submission.job_id)

    submit_from_message.__doc__ = f"Submit a job of type {job_type.name}."
    app.task(
        name=job_type.name,
        bind=True,
        send_events=False,
        # The message is all there is of the job yet: it is tried again until it can be accepted.
        autoretry_for=(QueueFull, *OUTAGES),
        retry_backoff=1,
        retry_backoff_max=30,
        retry_jitter=True,
        max_retries=None,
    )(submit_from_message)
