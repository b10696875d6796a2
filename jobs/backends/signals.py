"""Where Celery's worker calls us: its start, its children's, and its end."""

from typing import Any

from celery import signals
from django.db import close_old_connections

from jobs.backends.celery import DOORBELL
from jobs.backends.celery_events import CeleryEvents
from jobs.backends.lease import Lease
from jobs.runtime.worker_process import worker_process
from jobs.services import stream

_lease: Lease | None = None


@signals.worker_ready.connect
def _ready(sender: Any, **_: Any) -> None:
    global _lease
    worker = sender.controller
    _stop_taking_first(worker)
    _leave_when_terminated(worker)
    _lease = Lease(worker)
    _lease.start()
    if not _forks(worker):
        CeleryEvents(worker.hostname).listen()


@signals.worker_process_init.connect
def _child_started(sender: str, **_: Any) -> None:
    CeleryEvents(hostname=sender).listen()


@signals.task_prerun.connect
def _task_begins(task: Any, **_: Any) -> None:
    """Give a plain task a connection that works, which Celery leaves open between tasks.

    A doorbell's first statement is its own check: it costs no other one.
    """
    if task.name != DOORBELL:
        close_old_connections()


@signals.worker_process_shutdown.connect
def _child_stops(**_: Any) -> None:
    stream.flush()


@signals.worker_shutting_down.connect
def _shutting_down(**_: Any) -> None:
    worker_process.stopping = True


@signals.worker_shutdown.connect
def _stopped(**_: Any) -> None:
    global _lease
    if _lease is not None:
        _lease.stop()
        _lease = None
    stream.flush()


def _stop_taking_first(worker: Any) -> None:
    """Have the children take no further job as soon as a soft shutdown begins.

    Celery 5.7 sends `worker_shutting_down` only when the time that running tasks get is over.
    """
    wait = worker.wait_for_soft_shutdown

    def stop_taking_and_wait() -> None:
        worker_process.stopping = True
        wait()

    worker.wait_for_soft_shutdown = stop_taking_and_wait


def _leave_when_terminated(worker: Any) -> None:
    """Have the worker leave after a cold shutdown too, for which Celery sends no signal."""
    terminate = worker.terminate

    def terminate_and_leave(*args: Any, **kwargs: Any) -> None:
        try:
            terminate(*args, **kwargs)
        finally:
            _stopped()

    worker.terminate = terminate_and_leave


def _forks(worker: Any) -> bool:
    return str(worker.pool_cls.__module__).endswith("prefork")
