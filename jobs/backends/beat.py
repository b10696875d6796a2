"""The scheduler class of `celery -A jobsite beat`."""

from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler

from jobs.runtime.timekeeper import Timekeeper


class JobsiteScheduler(DatabaseScheduler):  # type: ignore[misc]
    """Runs the timekeeper beside django-celery-beat's own PeriodicTasks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._timekeeper: Timekeeper | None = None
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        """Set up the PeriodicTasks, and start the timekeeper.

        Beat makes a scheduler for itself only: `lazy` ones, which other commands make to read the
        entries, never come here.
        """
        super().setup_schedule()
        self._timekeeper = Timekeeper()
        self._timekeeper.start()

    def close(self) -> None:
        """Stop the timekeeper, then store the PeriodicTasks' state."""
        if self._timekeeper is not None:
            self._timekeeper.stop()
        super().close()
