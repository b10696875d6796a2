"""What the parent of a worker and its children share: made before they are forked."""

import os
import time
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from jobs.conf import jobs_settings
from jobs.runtime.pace import Pace
from jobs.runtime.slot import Slot
from jobs.services.taking import Taker

_forked = get_context("fork")


def _flag() -> Any:
    return _forked.Value("b", 0, lock=False)


@dataclass
class WorkerProcess:
    """One worker: its id, the flags that its parent sets and its children read, their slots."""

    worker_id: UUID = field(default_factory=uuid4)
    #: The name of the profile that it obeys, if there is one of that name.
    profile_name: str = ""
    #: Where each child has its slot; None in pools whose processes the parent cannot steer.
    folder: Path | None = None
    #: This process's own, in a child.
    slot: Slot | None = None
    #: How many jobs this process takes at once. Without a slot it takes them one by one: its
    #: parent could not tell which of several it has died of.
    pace: Pace | None = None
    _stopping: Any = field(default_factory=_flag)
    _events: Any = field(default_factory=_flag)
    _crowded: Any = field(default_factory=_flag)
    _resting: Any = field(default_factory=_flag)
    _types_version: Any = field(default_factory=lambda: _forked.Value("I", 0, lock=False))
    _next_pass: Any = field(default_factory=lambda: _forked.Value("d", 0, lock=False))

    def taker(self) -> Taker:
        """Return who takes jobs in this process.

        Raises:
            OSError: it has no slot, and there is no room for one: its parent could not see what
                it is at.
        """
        self.open_slot()
        return Taker(worker_id=self.worker_id, pid=os.getpid())

    def open_slot(self) -> None:
        """Open this process's slot, in a child, unless it is open."""
        if self.folder is not None and self.slot is None:
            self.slot = Slot(self.folder / str(os.getpid()))
            settings = jobs_settings()
            self.pace = Pace(
                limit=settings.batch_size, budget_seconds=settings.take_budget_ms / 1000
            )

    @property
    def stopping(self) -> bool:
        """Whether the worker is shutting down: no further job is taken then."""
        return bool(self._stopping.value)

    @stopping.setter
    def stopping(self, value: bool) -> None:
        self._stopping.value = int(value)

    @property
    def resting(self) -> bool:
        """Whether its profile has the worker take no job, for now or before it leaves."""
        return bool(self._resting.value)

    @resting.setter
    def resting(self, value: bool) -> None:
        self._resting.value = int(value)

    @property
    def types_version(self) -> int:
        """How often the job types have changed that it may take; 0: it may take all."""
        return int(self._types_version.value)

    @types_version.setter
    def types_version(self, value: int) -> None:
        self._types_version.value = value

    def may_pass_on(self, pause_seconds: float) -> bool:
        """Return whether no process of this worker has asked so within the pause."""
        now = time.monotonic()
        if now < self._next_pass.value:
            return False
        self._next_pass.value = now + pause_seconds
        return True

    @property
    def publishes_events(self) -> bool:
        """Whether someone, such as Flower, asked for Celery's task events."""
        return bool(self._events.value)

    @publishes_events.setter
    def publishes_events(self, value: bool) -> None:
        self._events.value = int(value)

    @property
    def crowded(self) -> bool:
        """Whether the site's workers have more slots together than jobs may run at once."""
        return bool(self._crowded.value)

    @crowded.setter
    def crowded(self, value: bool) -> None:
        self._crowded.value = int(value)


#: This process's worker; a child inherits its parent's.
worker_process = WorkerProcess()
