"""The parent's thread in a worker: renews the lease and looks after the jobs of its children."""

import os
import platform
import signal
import threading
import time
from typing import Any

import celery
import structlog
from django.db import close_old_connections, connection

from jobs.runtime.worker_process import worker_process
from jobs.services import rescue, workers

logger = structlog.get_logger(__name__)
_WATCH_SECONDS = 0.5


class Lease:
    """Keeps a worker's row alive, kills what ignores its timeout, rescues what its dead left."""

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._renewal_seconds = workers.renewal_interval().total_seconds()
        self._next_renewal = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def start(self) -> None:
        """Register the worker, before it takes its first job, and start the thread."""
        try:
            self._renew()
            worker_process.publishes_events = self._events_wanted()
        except Exception as error:
            logger.exception("registering_failed", error_type=type(error).__name__)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; rescue what was left running, and say that the worker has gone."""
        self._stop.set()
        self._thread.join(timeout=5)
        try:
            workers.leave(worker_process.worker_id)
            rescue.lost_of_worker(worker_process.worker_id, lambda: ())
        except Exception as error:
            logger.exception("leaving_failed", error_type=type(error).__name__)

    def _run(self) -> None:
        while not self._stop.wait(_WATCH_SECONDS):
            try:
                self._watch()
            except Exception as error:
                logger.exception("lease_failed", error_type=type(error).__name__)
                close_old_connections()
        connection.close()

    def _watch(self) -> None:
        if time.monotonic() >= self._next_renewal:
            self._renew()
        worker_process.publishes_events = self._events_wanted()
        for job in rescue.overdue(worker_process.worker_id):
            # First the row: if the run has just ended, its process is at another job by now.
            if rescue.close_killed(job):
                self._kill(job.pid)
        rescue.lost_of_worker(worker_process.worker_id, self._live_pids)

    def _renew(self) -> None:
        workers.renew(self._info())
        self._next_renewal = time.monotonic() + self._renewal_seconds

    def _kill(self, pid: int | None) -> None:
        """Kill a child; never this process, in which a solo or threaded pool runs its jobs."""
        if pid is not None and pid in self._child_pids():
            logger.warning("child_killed", pid=pid, why="its job ignored the timeout")
            os.kill(pid, signal.SIGKILL)

    def _live_pids(self) -> set[int]:
        return {os.getpid(), *self._child_pids()}

    def _child_pids(self) -> set[int]:
        pool: Any = getattr(self._worker.pool, "_pool", None)
        children = getattr(pool, "_pool", None) or ()
        return {child.pid for child in children if child.pid and child.is_alive()}

    def _events_wanted(self) -> bool:
        dispatcher = getattr(self._worker.consumer, "event_dispatcher", None)
        if not dispatcher or not dispatcher.enabled:
            return False
        # No groups means all of them: the worker was started with --task-events.
        return not dispatcher.groups or "task" in dispatcher.groups

    def _info(self) -> workers.WorkerInfo:
        return workers.WorkerInfo(
            worker_id=worker_process.worker_id,
            name=self._worker.hostname,
            host=platform.node(),
            pid=os.getpid(),
            version=celery.__version__,
            pool=self._worker.pool_cls.__module__.rpartition(".")[2],
            queues=tuple(self._worker.app.amqp.queues.consume_from),
            concurrency=self._worker.concurrency,
        )
