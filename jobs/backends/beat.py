"""The scheduler class of `celery -A jobsite beat`."""

from datetime import UTC, datetime
from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler

from jobs.runtime.timekeeper import Rank, Timekeeper


class JobsiteScheduler(DatabaseScheduler):
    """Runs the timekeeper beside django-celery-beat's own PeriodicTasks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._timekeeper: Timekeeper | None = None
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Start the timekeeper at beat's first tick; run the PeriodicTasks that are due.

        Not earlier: what answers `beat_init`, as the embedded Redis does, comes before the first
        tick and after the making of the scheduler.
        """
        if self._timekeeper is None:
            self._timekeeper = Timekeeper(Rank.BEAT)
            self._timekeeper.start()
        wait: float = super().tick(*args, **kwargs)
        return wait

    def schedule_changed(self) -> bool:
        """Return whether a PeriodicTask was changed since the last call.

        A change is seen by being later than the last one known; where none is known yet,
        django-celery-beat 2.9 lets the next one go unseen.
        """
        changed: bool = super().schedule_changed()  # type: ignore[no-untyped-call]
        self._last_timestamp = self._last_timestamp or datetime.min.replace(tzinfo=UTC)
        return changed

    def close(self) -> None:
        """Stop the timekeeper, then store the PeriodicTasks' state."""
        if self._timekeeper is not None:
            self._timekeeper.stop()
        super().close()
