"""What Celery's worker keeps of `--autoscale`: the bounds, which we scale by what waits in rows."""

from typing import Any

from celery.worker import autoscale

from jobs.domain.scaling import Bounds


class Autoscaler(autoscale.Autoscaler):
    """Celery's, but for the decision: it counts messages, which say nothing of how many jobs wait.

    `jobs.backends.steering` decides, and fits the pool.
    """

    @property
    def bounds(self) -> Bounds:
        """The slots that the pool may have."""
        return Bounds(max(self.min_concurrency, 1), max(self.max_concurrency, 1))

    def maybe_scale(self, req: Any = None) -> None:
        """Leave the pool as it is."""

    def update(self, max: int | None = None, min: int | None = None) -> tuple[int, int]:  # noqa: A002 - Celery's names
        """Set the bounds, as `celery control autoscale` asks for; the pool follows soon.

        Raises:
            ConfigurationError: there is no number between them.
        """
        most = self.max_concurrency if max is None else max
        least = self.min_concurrency if min is None else min
        bounds = Bounds(least or 1, most)
        self.max_concurrency, self.min_concurrency = bounds.maximum, bounds.minimum
        return self.max_concurrency, self.min_concurrency
