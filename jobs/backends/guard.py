"""What the parent of a worker does about what its children are at: interrupt, kill, rescue."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from django.utils import timezone

from jobs.backends.children import Children
from jobs.conf import jobs_settings
from jobs.models import Job
from jobs.runtime.slot import Order, SlotRun
from jobs.services import rescue

logger = structlog.get_logger(__name__)
#: A run that the table does not know for so long was taken from this worker, and not just begun
#: or just ended.
_UNKNOWN_SECONDS = 1.0
#: What a killed child needs to be gone: its job goes on as soon as it is.
_DEATH_SECONDS = 0.05
#: A child that has taken jobs begins the first of them within far less than this.
_STRAY = timedelta(seconds=5)
_STRAY_SECONDS = _STRAY.total_seconds()
#: For how long the pool may take to say how a child died.
_TOLD_SECONDS = 2.0


#: A child's process id, and the job and the run that it is at.
_Key = tuple[int, UUID, int]


@dataclass(slots=True)
class _Case:
    """What the parent has against a run."""

    verdict: str
    since: float
    ordered: bool = False


class Guard:
    """Looks after the runs of one worker's children; `look` is called twice a second."""

    def __init__(self, worker_id: UUID, children: Children) -> None:
        self._worker_id = worker_id
        self._children = children
        self._settings = jobs_settings()
        self._cases: dict[_Key, _Case] = {}
        self._relieved: set[_Key] = set()
        self._killed: dict[int, str] = {}
        #: Children that were at nothing when strays were looked for.
        self._idle: set[int] = set()
        self._next_stray_look = 0.0
        self._dead_since: dict[int, float] = {}
        self._was_busy = True
        #: By `time.monotonic`: when what still runs is to be ended, because the worker stops.
        self.stop_by: float | None = None

    def look(self) -> int:
        """Do what is to be done now; return how many children are at a run."""
        busy = self._look()
        if self._killed or self._dead_since:
            time.sleep(_DEATH_SECONDS)
            busy = self._look()
        return busy

    def _look(self) -> int:
        runs = self._children.look()
        self._release_strays(runs)
        dead = [pid for pid in runs if not self._children.alive(pid)]
        busy = {pid: run for pid, run in runs.items() if run is not None and pid not in dead}
        if not (busy or dead or self._was_busy):
            return 0
        self._was_busy = bool(busy)
        rows = rescue.running_of(self._worker_id)
        for pid in dead:
            if self._is_known(pid):
                self._bury(pid, runs[pid], rows.filter(pid=pid))
        at_work = rows.filter(pk__in=[run.job_id for run in busy.values()]) if busy else ()
        known = {(job.pk, job.run): job for job in at_work}
        for pid, run in busy.items():
            self._judge(pid, run, known.get((run.job_id, run.run)))
        present = {(pid, run.job_id, run.run) for pid, run in busy.items()}
        self._cases = {key: case for key, case in self._cases.items() if key in present}
        self._relieved &= present
        return len(busy)

    def _release_strays(self, runs: Mapping[int, SlotRun | None]) -> None:
        """Make ready again what the table says a child runs that is at nothing.

        It was taken by a statement whose answer never came.
        """
        if time.monotonic() < self._next_stray_look:
            return
        self._next_stray_look = time.monotonic() + _STRAY_SECONDS
        idle = {pid for pid, run in runs.items() if run is None and self._children.alive(pid)}
        strays, self._idle = self._idle & idle, idle
        if strays:
            rescue.release_strays(self._worker_id, strays, older_than=_STRAY)

    def _is_known(self, pid: int) -> bool:
        """Return whether the pool has told how a child died, or has had long enough to."""
        seen = self._dead_since.setdefault(pid, time.monotonic())
        if self._children.exit_code(pid) is not None:
            return True
        self._children.have_pool_look()
        return time.monotonic() - seen > _TOLD_SECONDS

    def _bury(self, pid: int, run: SlotRun | None, rows: Iterable[Job]) -> None:
        verdict = self._killed.get(pid, "")
        death = rescue.Death(
            why=self._why(pid, verdict),
            job_id=run.job_id if run else None,
            run=run.run if run else 0,
            verdict=verdict,
        )
        rescue.close_dead(rows, death)
        self._killed.pop(pid, None)
        self._dead_since.pop(pid, None)
        self._children.forget(pid)

    def _why(self, pid: int, verdict: str) -> str:
        if verdict == "memory":
            used = self._children.memory(pid) / 2**20
            return f"killed: it used {used:.0f} MB, and {self._settings.kill_memory_mb} are allowed"
        return f"the process that ran it died ({self._children.told_of_death(pid)})"

    def _judge(self, pid: int, run: SlotRun, row: Job | None) -> None:
        """End a run that must not go on: by its handler first, then by its process."""
        now = time.monotonic()
        if run.recording:
            return  # it has ended; to kill it now would be to lose what it ended in
        if row is not None and now - run.began > self._settings.batch_timeout_seconds:
            self._relieve((pid, run.job_id, run.run), row)
        grace = self._settings.timeout_grace_seconds
        memory = self._children.memory(pid)
        if 0 < self._settings.kill_memory_mb * 2**20 < memory:
            self._kill(pid, run, "memory")
        elif now > run.began + run.timeout_seconds + grace:
            self._kill(pid, run, "timeout")
        else:
            self._press(pid, run, self._charge(run, row, now), now)

    def _relieve(self, key: _Key, row: Job) -> None:
        """Let others have what waits behind a run that nobody expected to take long."""
        if key not in self._relieved:
            self._relieved.add(key)
            rescue.relieve(row)

    def _press(
        self, pid: int, run: SlotRun, charge: tuple[str, Order, float] | None, now: float
    ) -> None:
        key = (pid, run.job_id, run.run)
        if charge is None:
            self._cases.pop(key, None)
            return
        verdict, order, patience = charge
        case = self._cases.get(key)
        if case is None or case.verdict != verdict:
            case = self._cases[key] = _Case(verdict, now)
        if now > case.since + patience + self._settings.timeout_grace_seconds:
            self._kill(pid, run, verdict)
        elif now >= case.since + patience and not case.ordered:
            # Once: the handler may be cleaning up by now.
            case.ordered = True
            if order is Order.STOPPING:
                logger.warning("job_outlasts_worker", job_id=str(run.job_id), pid=pid)
            self._children.interrupt(pid, run, order)

    def _charge(self, run: SlotRun, row: Job | None, now: float) -> tuple[str, Order, float] | None:
        """Return what there is against a run, and how long its handler may take to notice."""
        if self.stop_by is not None and now >= self.stop_by:
            return "stopping", Order.STOPPING, 0
        if row is None:
            return "lost", Order.LOST, _UNKNOWN_SECONDS
        if row.cancel_requested_at is not None:
            return "cancelled", Order.CANCELLED, self._settings.cancel_grace_seconds
        return None

    def _kill(self, pid: int, run: SlotRun, verdict: str) -> None:
        if self._children.kill(pid, run, verdict):
            self._killed[pid] = verdict


def guard_without_children(worker_id: UUID) -> None:
    """Do what can be done in a pool of threads, where no run can be ended from outside."""
    rescue.close_overdue(rescue.running_of(worker_id), now=timezone.now())
