"""What the verbs ask of a site."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from jobs.domain import wire
from jobs.domain.options import SubmitOptions


class Site(Protocol):
    """A site, wherever it is; what it tells has one shape.

    All of it raises `JobsError` or `ApiError`.
    """

    #: Whether it is this one: only here a part of an id names a job, and a stream's end is known.
    is_here: bool
    #: How long to wait before a job that is followed is looked at again.
    pause: timedelta

    def submit(
        self, job_type: str, params: dict[str, Any], options: SubmitOptions
    ) -> wire.Accepted:
        """Submit a job."""

    def trigger(self, schedule: str) -> wire.Accepted:
        """Run a schedule's job now."""

    def find(self, job_id: str) -> UUID:
        """Return the id of the job that someone means."""

    def look(self, job_id: UUID) -> wire.Job:
        """Return a job."""

    def show(self, job_id: UUID) -> wire.WholeJob:
        """Return a job with all that is known of it."""

    def list(self, limit: int, filters: Mapping[str, Any]) -> Sequence[wire.Job]:
        """Return the jobs that match, newest first; filters as `JobFilters` has them."""

    def cancel(self, job_id: UUID) -> wire.Job:
        """Cancel a job."""

    def retry(self, job_id: UUID) -> wire.Job:
        """Queue a job again."""

    def retry_all(self, filters: Mapping[str, Any], show: Callable[[int], None]) -> int:
        """Queue the dead letters again that match; say as it goes how many were."""

    def discard_all(self, filters: Mapping[str, Any], show: Callable[[int], None]) -> int:
        """Remove the dead letters that match; say as it goes how many were."""

    def queues(self) -> Sequence[wire.Queue]:
        """Return every queue."""

    def pause_queues(self, names: Sequence[str]) -> Sequence[str]:
        """Pause queues; return those that were changed."""

    def resume_queues(self, names: Sequence[str]) -> Sequence[str]:
        """Resume queues; return those that were changed."""

    def types(self) -> Sequence[wire.JobType]:
        """Return every job type."""

    def stats(self) -> wire.Stats:
        """Count the jobs."""

    def events(self, since: str) -> Iterator[dict[str, Any] | None]:
        """Yield each event as it comes; None wherever none is known."""

    def has_a_healthy_worker(self) -> bool:
        """Return whether jobs are being run."""
