"""Fits a worker to what people ask of it by its profile, and to what waits for it."""

import time
from typing import Any

import structlog

from jobs.backends.pool_size import PoolSize
from jobs.backends.profile import ProfileKeeper
from jobs.conf import jobs_settings
from jobs.domain.scaling import Bounds, Decision, Load, decide
from jobs.runtime.listening import job_queues
from jobs.runtime.worker_process import worker_process
from jobs.selectors.backlog import Backlog, backlog
from jobs.selectors.workers import other_slots
from jobs.services.workers import announce_scaling

logger = structlog.get_logger(__name__)


class Steering:
    """Called by the parent's thread, twice a second."""

    def __init__(self, worker: Any) -> None:
        """Make it.

        Args:
            worker: Celery's, with its pool and its consumer.
        """
        self._worker = worker
        self._size = PoolSize(worker)
        self.profile = ProfileKeeper(worker)
        self._slots = self._started_with = self._size.now
        self._wanted: Decision | None = None
        self._calm_looks = 0
        self._next_decision = 0.0
        if not self._size.can_change and (worker.autoscale or jobs_settings().scaling):
            logger.warning(
                "scaling_impossible",
                why="only the prefork pool can grow and shrink: this one stays as it is",
            )

    @property
    def slots(self) -> int:
        """How many jobs the worker can run at once now."""
        return self._size.now

    @property
    def bounds(self) -> Bounds | None:
        """Between how many slots the worker scales; None: it does not."""
        if not (self._worker.autoscale and self._size.can_change):
            return None
        bounds: Bounds = self._worker.autoscaler.bounds
        return bounds.capped(self.profile.concurrency)

    def look(self, busy: int | None) -> bool:
        """Do what is to be done now; return whether what the worker's row tells has changed.

        Args:
            busy: how many slots are at a run; None if that is not known.
        """
        changed = self.profile.look()
        if changed:
            self._next_decision = 0.0
        told = self._tell()
        if self._size.can_change and busy is not None:
            self._fit(busy)
        return told or changed

    def _fit(self, busy: int) -> None:
        bounds = self.bounds
        if bounds is None:
            self._wanted = self._fixed()
        elif time.monotonic() >= self._next_decision:
            self._next_decision = time.monotonic() + jobs_settings().scale_interval_seconds
            self._wanted = self._decide(busy, bounds)
        if self._wanted is not None and self._wanted.slots != self._size.now:
            self._size.change(self._wanted.slots)

    def _fixed(self) -> Decision | None:
        """Return what a worker should have that does not scale; None: what it has."""
        asked = self.profile.concurrency
        if asked is not None:
            return Decision(asked, f"the profile {self.profile.name} asks for {asked}")
        if self._wanted is not None and self._size.now != self._started_with:
            return Decision(self._started_with, "no profile asks for another number any more")
        return None

    def _decide(self, busy: int, bounds: Bounds) -> Decision:
        queues = job_queues(self._worker.app.amqp.queues.consume_from)
        resting = worker_process.resting
        waits = Backlog() if resting else backlog(queues, self.profile.job_types)
        load = Load(
            slots=self._size.now,
            busy=busy,
            ready=waits.ready,
            is_cut=waits.is_cut,
            run_seconds=waits.run_seconds,
            others=other_slots(worker_process.worker_id, queues) if waits.ready else 0,
        )
        wait = jobs_settings().scale_wait_seconds
        decision = decide(load, bounds, wait_seconds=wait, calm_looks=self._calm_looks)
        self._calm_looks = self._calm_looks + 1 if decision.calm else 0
        return decision

    def _tell(self) -> bool:
        """Make a change of the number of slots known; return whether there was one."""
        before, self._slots = self._slots, self._size.now
        if before == self._slots:
            return False
        why = self._wanted.why if self._wanted is not None else "a remote command asked for it"
        announce_scaling(self._worker.hostname, before=before, after=self._slots, why=why)
        return True
