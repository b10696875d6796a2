"""What a process of a worker is at, in memory that its parent reads even after its death.

Each process has a small file, mapped into memory: writing to it costs about a microsecond and no
statement. The process writes which run it is at; the parent writes which run it wants ended.
"""

import mmap
import os
import struct
import time
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from jobs.models import Job

#: A count that is odd while the rest is being written; the phase; the run's job and number; when it
#: began, by the monotonic clock that all processes of a host share; its timeout in seconds.
_COUNT = struct.Struct("<I")
_BODY = struct.Struct("<B16sIdd")
_RUN = struct.Struct(_COUNT.format + _BODY.format.removeprefix("<"))
_IDLE, _RUNNING, _RECORDING = range(3)
_ORDER = struct.Struct("<B16sI")
_ORDER_AT = 64
_SIZE = 128
_TRIES = 100


class Order(IntEnum):
    """Why a parent wants a run ended."""

    CANCELLED = 1
    #: Another run has replaced it.
    LOST = 2
    #: The worker's time to stop is over.
    STOPPING = 3


@dataclass(frozen=True, slots=True)
class SlotRun:
    """The run that a process is at.

    Attributes:
        job_id: the job's.
        run: the number of the run.
        began: by `time.monotonic`.
        timeout_seconds: of this attempt.
        recording: whether the run has ended, and what it ended in waits to be written.
    """

    job_id: UUID
    run: int
    began: float
    timeout_seconds: float
    recording: bool = False


def _reserve(file: int) -> None:
    """Make room for a slot; what stands in the file stays."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, _SIZE)
    else:  # macOS, where a full disk is noticed only at a write
        os.ftruncate(file, _SIZE)


class Slot:
    """The file of one process."""

    def __init__(self, path: Path) -> None:
        """Open it, and make it, with its folder, if it is not there.

        Raises:
            OSError: there is no room for it. To write to a file that is mapped and has no room
                would kill the process.
        """
        path.parent.mkdir(mode=0o700, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _reserve(file)
            self._memory = mmap.mmap(file, _SIZE)
        except OSError:
            path.unlink()
            raise
        finally:
            os.close(file)
        (self._count,) = _COUNT.unpack_from(self._memory)

    def begin(self, job: Job) -> None:
        """Say which run the process is at from now on."""
        self._write(_RUNNING, job.id.bytes, job.run, time.monotonic(), job.timeout.total_seconds())

    def record(self) -> None:
        """Say that the run has ended, and that the process writes down what became of it."""
        self._memory[_COUNT.size] = _RECORDING

    def end(self) -> None:
        """Say that it is at none."""
        self._write(_IDLE, bytes(16), 0, 0.0, 0.0)

    def _write(self, phase: int, *run: Any) -> None:
        odd = self._count | 1
        _COUNT.pack_into(self._memory, 0, odd)
        _BODY.pack_into(self._memory, _COUNT.size, phase, *run)
        self._count = odd + 1 & 0xFFFFFFFF
        _COUNT.pack_into(self._memory, 0, self._count)

    def read(self) -> SlotRun | None:
        """Return the run that the process is at, or was at when it died; None if at none."""
        for _ in range(_TRIES):
            told = bytes(self._memory[: _RUN.size])
            count, phase, job_id, run, began, timeout = _RUN.unpack(told)
            if not count & 1 and told == bytes(self._memory[: _RUN.size]):
                if phase == _IDLE:
                    return None
                return SlotRun(UUID(bytes=job_id), run, began, timeout, phase == _RECORDING)
        return None

    def order(self, order: Order, run: SlotRun) -> None:
        """Ask the process to end a run, as soon as it hears the signal that follows."""
        _ORDER.pack_into(self._memory, _ORDER_AT, order, run.job_id.bytes, run.run)

    def ordered(self) -> tuple[Order, UUID, int] | None:
        """Return what the parent asked for last, and for which run."""
        order, job_id, run = _ORDER.unpack_from(self._memory, _ORDER_AT)
        return (Order(order), UUID(bytes=job_id), run) if order else None

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()
