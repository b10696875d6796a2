"""The children of a prefork worker as their parent sees them: what they are at, what they died of.

A child that must be killed is stopped first and looked at again, so that one which has gone on to
another job meanwhile is let go.
"""

import os
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import structlog

from jobs.runtime.interruption import ORDER_SIGNAL
from jobs.runtime.slot import Order, Slot, SlotRun

logger = structlog.get_logger(__name__)
_STOP_SECONDS = 0.2
_PREFIX = "jobsite-worker-"
_ALIVE = "alive"


class Children:
    """The processes of one worker's pool, and the folder of their slots."""

    def __init__(self) -> None:
        _sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        self._pool: Any = None
        self._hub: Any = None
        self._slots: dict[int, Slot] = {}
        self._processes: dict[int, Any] = {}
        self._memory: dict[int, int] = {}

    def watch(self, worker: Any) -> None:
        """Name Celery's worker, once its pool is there."""
        self._pool, self._hub = worker.pool, worker.hub
        self._note_processes()
        pool = getattr(self._pool, "_pool", None)
        if pool is None:
            return
        # One that dies soon after its birth is gone before anyone looks.
        create = pool._create_worker_process

        def create_and_note(place: int) -> Any:
            process = create(place)
            self._processes[process.pid] = process
            return process

        pool._create_worker_process = create_and_note

    def show_life(self) -> None:
        """Touch a file: a probe, which asks nobody, sees by it that the thread is at work.

        Where none can be written the worker leaves by itself: see `jobs.backends.lease`.
        """
        with suppress(OSError):
            self.folder.mkdir(mode=0o700, exist_ok=True)
            (self.folder / _ALIVE).touch()

    def have_pool_look(self) -> None:
        """Have the pool look for children that died.

        It looks when a child's end of a pipe closes, which may be a moment before the child counts
        as dead; then it finds nothing, and Celery 5.7 never looks again: the slot is gone, and
        with the last of them the worker.
        """
        pool = getattr(self._pool, "_pool", None)
        if pool is not None and self._hub is not None:
            self._hub.call_soon(pool.maintain_pool)

    def look(self) -> dict[int, SlotRun | None]:
        """Return what each child is at, by its process id; of a dead one, what it was at."""
        self._note_processes()
        # It may be gone: what cleans the folder of temporary files goes by their age.
        self.folder.mkdir(mode=0o700, exist_ok=True)
        for name in os.listdir(self.folder):
            if name.isdigit() and int(name) not in self._slots:
                self._slots[int(name)] = Slot(self.folder / name)
        return {pid: slot.read() for pid, slot in self._slots.items()}

    def alive(self, pid: int) -> bool:
        """Return whether the child lives."""
        with suppress(psutil.Error):
            return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
        return False

    def memory(self, pid: int) -> int:
        """Return the child's resident memory in bytes, or what was seen last if it is dead."""
        with suppress(psutil.Error):
            self._memory[pid] = psutil.Process(pid).memory_info().rss
        return self._memory.get(pid, 0)

    def memory_of_all(self) -> int:
        """Return the resident memory of the parent and its children, in bytes."""
        pids = [os.getpid(), *(child.pid for child in self._children() if child.pid)]
        return sum(self.memory(pid) for pid in pids)

    def exit_code(self, pid: int) -> int | None:
        """Return a dead child's exit code, once the pool knows it; negative: a signal.

        Never by asking the system: who asks first is the only one to be told, and the pool, asked
        second, would believe for ever that the child lives.
        """
        popen = getattr(self._processes.get(pid), "_popen", None)
        code = getattr(popen, "returncode", None)
        return int(code) if code is not None else None

    def told_of_death(self, pid: int) -> str:
        """Return what is known of a dead child: its signal or exit code, and its memory."""
        told = _exit_in_words(self.exit_code(pid))
        if seen := self._memory.get(pid):
            told += f"; its memory was {seen / 2**20:.0f} MB when last seen"
        return told

    def interrupt(self, pid: int, run: SlotRun, order: Order) -> None:
        """Have the handler of a run raise, unless the child is at another one by now."""
        self._slots[pid].order(order, run)
        with suppress(ProcessLookupError):
            os.kill(pid, ORDER_SIGNAL)

    def kill(self, pid: int, run: SlotRun, why: str) -> bool:
        """Kill a child that is at this run; return whether it was."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            ends = time.monotonic() + _STOP_SECONDS
            while self._runs_on(pid) and time.monotonic() < ends:
                time.sleep(0.001)
            still = self._slots[pid].read()
            if still is not None and (still.job_id, still.run) == (run.job_id, run.run):
                logger.warning("child_killed", pid=pid, why=why, job_id=str(run.job_id))
                os.kill(pid, signal.SIGKILL)
                return True
            os.kill(pid, signal.SIGCONT)
        return False

    def forget(self, pid: int) -> None:
        """Let go of a dead child, once its jobs are seen to."""
        self._slots.pop(pid).close()
        (self.folder / str(pid)).unlink(missing_ok=True)
        self._processes.pop(pid, None)
        self._memory.pop(pid, None)

    def close(self) -> None:
        """Remove the folder: at the worker's end."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _note_processes(self) -> None:
        """Keep hold of the processes: how one ended that the pool has let go, only we know."""
        self._processes.update({child.pid: child for child in self._children() if child.pid})

    def _children(self) -> list[Any]:
        return list(getattr(getattr(self._pool, "_pool", None), "_pool", None) or ())

    @staticmethod
    def _runs_on(pid: int) -> bool:
        with suppress(psutil.Error):
            return bool(
                psutil.Process(pid).status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
            )
        return False


def _sweep() -> None:
    """Remove the folders of workers that were killed before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _exit_in_words(code: int | None) -> str:
    if code is None:
        return "how is not known"
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code}, {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
