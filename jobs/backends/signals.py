"""Where Celery's worker calls us: its start, its children's, and its end."""

import platform
from typing import Any

from celery import signals
from django.db import close_old_connections

from jobs.backends.celery import DOORBELL
from jobs.backends.celery_events import CeleryEvents
from jobs.backends.children import Children
from jobs.backends.direct import listen_directly
from jobs.backends.ground import warn_of_weak_ground
from jobs.backends.lease import Lease
from jobs.conf import jobs_settings
from jobs.runtime.interruption import interruption
from jobs.runtime.timekeeper import Rank, Timekeeper
from jobs.runtime.worker_process import worker_process
from jobs.selectors.capacity import resolved_workers
from jobs.services import stream

_children: Children | None = None
_lease: Lease | None = None
_stand_by: Timekeeper | None = None
_celery_events: CeleryEvents | None = None


@signals.celeryd_init.connect
def _size_the_pool(conf: Any, options: dict[str, Any], **_: Any) -> None:
    """Give the worker the slots that the settings name, unless its command line does."""
    if not options.get("concurrency") and (slots := resolved_workers()):
        conf.worker_concurrency = slots


@signals.celeryd_init.connect
def _before_the_worker(instance: Any, options: dict[str, Any], **_: Any) -> None:
    """Have the site's bounds mean what `--autoscale` does, which wins."""
    bounds = jobs_settings().scaling
    pool = options.get("pool") or options.get("pool_cls") or instance.app.conf.worker_pool
    if bounds is None or options.get("autoscale") or not _forks(pool):
        return
    prepare = instance.prepare_args

    def prepare_to_scale(**kwargs: Any) -> dict[str, Any]:
        return {**prepare(**kwargs), "autoscale": [bounds.maximum, bounds.minimum]}

    instance.prepare_args = prepare_to_scale


@signals.worker_init.connect
def _before_the_children(sender: Any, **_: Any) -> None:
    global _children
    _children = Children()
    worker_process.folder = _children.folder
    own_name = str(sender.hostname).partition("@")[0]
    worker_process.profile_name = jobs_settings().worker_profile or own_name
    if limit := jobs_settings().max_memory_mb:
        sender.max_memory_per_child = sender.max_memory_per_child or limit * 1024  # in KiB


@signals.celeryd_after_setup.connect
def _queues_are_chosen(sender: str, instance: Any, **_: Any) -> None:
    if jobs_settings().balancing != "pull":
        listen_directly(instance.app, sender)


@signals.worker_ready.connect
def _ready(sender: Any, **_: Any) -> None:
    global _lease, _stand_by
    worker = sender.controller
    _stop_taking_first(worker)
    _leave_when_terminated(worker)
    _stop_within_bounds(worker)
    forks = _forks(worker.pool_cls)
    if not forks and _children is not None:
        _children.close()
    _lease = Lease(worker, _children if forks else None)
    _lease.start()
    warn_of_weak_ground(
        broker_url=str(worker.app.conf.broker_url), host=platform.node(), forks=forks
    )
    _stand_by = Timekeeper(Rank.STAND_BY)
    _stand_by.start()
    if not forks:
        _tell_celery(worker.hostname)


@signals.worker_process_init.connect
def _child_started(sender: str, **_: Any) -> None:
    worker_process.open_slot()
    interruption.listen()
    _tell_celery(sender)


def _forks(pool: Any) -> bool:
    """Return whether it is the pool of processes, by its class or its name."""
    return str(getattr(pool, "__module__", pool)).endswith("prefork")


def _tell_celery(hostname: str) -> None:
    global _celery_events
    _celery_events = CeleryEvents(hostname)
    _celery_events.listen()


def _flush() -> None:
    if _celery_events is not None:
        _celery_events.close()
    stream.flush()


@signals.task_received.connect
def _heard(**_: Any) -> None:
    if _lease is not None:
        _lease.heard()


@signals.task_prerun.connect
def _task_begins(task: Any, **_: Any) -> None:
    """Give a plain task a connection that works, which Celery leaves open between tasks.

    A doorbell's first statement is its own check: it costs no other one.
    """
    if task.name != DOORBELL:
        close_old_connections()


@signals.worker_process_shutdown.connect
def _child_stops(**_: Any) -> None:
    _flush()


@signals.worker_shutting_down.connect
def _shutting_down(**_: Any) -> None:
    if _lease is not None:
        _lease.begin_to_stop()


@signals.worker_shutdown.connect
def _stopped(**_: Any) -> None:
    global _lease, _stand_by
    if _stand_by is not None:
        _stand_by.stop()
        _stand_by = None
    if _lease is not None:
        _lease.stop()
        _lease = None
    _flush()


def _stop_within_bounds(worker: Any) -> None:
    """Bound a warm shutdown, in which Celery waits without a limit, however it was asked for.

    Asked for by a remote command, Celery 5.7 sends no `worker_shutting_down`.
    """
    stop = worker.stop

    def begin_and_stop(*args: Any, **kwargs: Any) -> None:
        _shutting_down()
        stop(*args, **kwargs)

    worker.stop = begin_and_stop


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
