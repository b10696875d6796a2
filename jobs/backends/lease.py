"""The parent's thread in a worker: its lease, its children's jobs, its hearing, its end."""

import os
import platform
import signal
import threading
import time
from typing import Any

import celery
import structlog
from django.db import Error, close_old_connections, connection

from jobs.backends.children import Children
from jobs.backends.guard import Guard, guard_without_children
from jobs.backends.hearing import Hearing
from jobs.backends.steering import Steering
from jobs.conf import jobs_settings
from jobs.runtime.forking import unforked
from jobs.runtime.listening import job_queues
from jobs.runtime.worker_process import worker_process
from jobs.selectors.workers import live_slots
from jobs.services import rescue, workers

logger = structlog.get_logger(__name__)
_WATCH_SECONDS = 0.5
#: How often to look whether the workers have more slots together than jobs may run at once.
_CROWD_SECONDS = 1.0
#: What Celery gets to end by itself after the time to stop, before it is ended: with the 25 s that
#: a worker has as it comes, it is gone before the 30 s of most process managers are over.
_LAST_SECONDS = 4.0
_DEAF = "bells wait in its queues, and it has not heard one for a whole lease"
_BLIND = "it has not been able to see what its processes are at for a whole lease"


def _is_crowded() -> bool:
    limit = jobs_settings().max_concurrent_jobs
    return bool(limit) and live_slots() > limit


class Lease:
    """Keeps a worker's row alive, and looks after what it runs."""

    def __init__(self, worker: Any, children: Children | None) -> None:
        """Make it.

        Args:
            worker: Celery's.
            children: of its pool; None if it has none that can be steered.
        """
        self._worker = worker
        self._children = children
        self._guard = Guard(worker_process.worker_id, children) if children else None
        if children is not None:
            children.watch(worker)
        self._steering = Steering(worker)
        self._hearing = Hearing(jobs_settings().lease_seconds)
        self._renewal_seconds = workers.renewal_interval().total_seconds()
        self._next_renewal = 0.0
        self._next_crowd = 0.0
        self._ailment = ""
        self._blind_since: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def start(self) -> None:
        """Register the worker, before it takes its first job, and start the thread."""
        try:
            self._steering.profile.look()
            self._renew()
            worker_process.publishes_events = self._events_wanted()
            worker_process.crowded = _is_crowded()
            if worker_process.crowded:
                # The others see within that time that they have to count what runs.
                time.sleep(2 * _CROWD_SECONDS)
        except Exception as error:
            logger.exception("registering_failed", error_type=type(error).__name__)
        self._thread.start()

    def heard(self) -> None:
        """Note that a message was delivered to this worker."""
        self._hearing.heard()

    def begin_to_stop(self) -> None:
        """Give what runs the time to end that the worker has; then end it and hand it on."""
        worker_process.stopping = True
        if self._guard is not None and self._guard.stop_by is None:
            seconds = float(self._worker.app.conf.worker_soft_shutdown_timeout)
            self._guard.stop_by = time.monotonic() + seconds
            logger.info("worker_stopping", seconds=seconds)

    def stop(self) -> None:
        """Stop the thread; hand on what was left running, and say that the worker has gone."""
        self._stop.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5)
        for step in (self._look, self._hand_on, self._say_goodbye):
            try:
                step()
            except Exception as error:
                logger.exception("leaving_failed", error_type=type(error).__name__)
        if self._children is not None:
            self._children.close()

    def _look(self) -> int:
        return self._guard.look() if self._guard is not None else 0

    def _hand_on(self) -> None:
        rescue.hand_on(worker_process.worker_id)

    def _say_goodbye(self) -> None:
        workers.leave(worker_process.worker_id)

    def _run(self) -> None:
        while not self._stop.wait(_WATCH_SECONDS):
            try:
                with unforked():
                    self._watch()
            except Exception as error:
                logger.exception("lease_failed", error_type=type(error).__name__)
                close_old_connections()
        connection.close()

    def _watch(self) -> None:
        if self._children is not None:
            self._children.show_life()  # first: it tells nothing of the database
        if time.monotonic() >= self._next_renewal:
            self._renew()
        worker_process.publishes_events = self._events_wanted()
        if time.monotonic() >= self._next_crowd:
            worker_process.crowded = _is_crowded()
            self._next_crowd = time.monotonic() + _CROWD_SECONDS
        if self._guard is None:
            guard_without_children(worker_process.worker_id)
            self._obey(None)
            return
        busy = self._seen()
        stop_by = self._guard.stop_by
        if stop_by is None:
            self._obey(busy)
            if busy is not None and not worker_process.resting:
                self._listen(has_free_slot=busy < self._steering.slots)
        elif not busy and time.monotonic() > stop_by + _LAST_SECONDS:
            self._end_what_hangs()

    def _obey(self, busy: int | None) -> None:
        """Do what the profile asks for, and have as many slots as are needed."""
        if worker_process.stopping:
            return
        if self._steering.look(busy):
            self._renew()
        if self._steering.profile.drains and not self._runs():
            logger.info("worker_drained", profile=self._steering.profile.name)
            self._leave()

    def _seen(self) -> int | None:
        """Return how many children are at a run; None, and in the end leave, if it cannot be seen.

        Workers wait for a database that is away: that is none of their own ailments.
        """
        try:
            busy = self._look()
        except Error:
            raise
        except Exception as error:
            logger.exception("guard_failed", error_type=type(error).__name__)
            now = time.monotonic()
            self._blind_since = self._blind_since or now
            if not self._ailment and now - self._blind_since > jobs_settings().lease_seconds:
                self._leave_ill("worker_blind", _BLIND)
            return None
        self._blind_since = None
        return busy

    def _listen(self, *, has_free_slot: bool) -> None:
        if self._hearing.is_deaf(self._queues(), has_free_slot=has_free_slot):
            self._leave_ill("worker_deaf", _DEAF)

    def _leave_ill(self, event: str, why: str) -> None:
        """Leave, and say why: whoever started this worker starts another."""
        self._ailment = why
        self._renew()
        logger.error(event, why=why)
        self._leave()

    def _runs(self) -> bool:
        return rescue.running_of(worker_process.worker_id).exists()

    def _leave(self) -> None:
        self.begin_to_stop()
        os.kill(os.getpid(), signal.SIGTERM)

    def _end_what_hangs(self) -> None:
        """End the process: nothing runs, and Celery does not come to an end."""
        logger.error("worker_hangs", why="nothing runs any more, and it does not end: ended")
        self.stop()
        os._exit(1 if self._ailment else 0)

    def _renew(self) -> None:
        if not workers.renew(self._info()):
            logger.error(
                "worker_was_believed_dead",
                why="its lease ran out before it was renewed: its jobs went on elsewhere",
            )
        self._next_renewal = time.monotonic() + self._renewal_seconds

    def _events_wanted(self) -> bool:
        dispatcher = getattr(self._worker.consumer, "event_dispatcher", None)
        if not dispatcher or not dispatcher.enabled:
            return False
        # No groups means all of them: the worker was started with --task-events.
        return not dispatcher.groups or "task" in dispatcher.groups

    def _queues(self) -> tuple[str, ...]:
        return tuple(job_queues(self._worker.app.amqp.queues.consume_from))

    def _info(self) -> workers.WorkerInfo:
        return workers.WorkerInfo(
            worker_id=worker_process.worker_id,
            name=self._worker.hostname,
            host=platform.node(),
            pid=os.getpid(),
            version=celery.__version__,
            python_version=platform.python_version(),
            pool=self._worker.pool_cls.__module__.rpartition(".")[2],
            queues=self._queues(),
            concurrency=self._steering.slots,
            bounds=self._steering.bounds,
            profile=self._steering.profile.name,
            memory_bytes=self._children.memory_of_all() if self._children else None,
            ailment=self._ailment,
        )
