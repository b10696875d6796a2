"""What the domain asks of the layers above it, and the one place where they plug in."""

from collections.abc import Collection, Iterable
from typing import Any, Protocol, Unpack

from jobs.domain.options import SubmitOptions
from jobs.domain.submission import BulkSubmission, NewJob, Submission


class Submitter(Protocol):
    """Accepts a job (`jobs.services.submission.submit`)."""

    def __call__(
        self, job_type: str, params: Any = None, **options: Unpack[SubmitOptions]
    ) -> Submission:
        """Submit a job."""


class BulkSubmitter(Protocol):
    """Accepts many jobs (`jobs.services.bulk.submit_many`)."""

    def __call__(self, jobs: Iterable[NewJob]) -> BulkSubmission:
        """Submit jobs."""


class Backend(Protocol):
    """Wakes workers (`JOBS["BACKEND"]`). The rows are the truth; this only rings.

    Attributes:
        waits_for_commit: whether a submission's ring waits for its transaction to commit. True
            wherever another process takes the job, which could not see it earlier.
    """

    waits_for_commit: bool

    def ring(self, queues: Collection[str], *, anyone: bool = False) -> None:
        """Say that these queues have work. Best effort: returns within about 2 s, never raises.

        Args:
            queues: their names.
            anyone: whoever is free is to hear it, whatever strategy chooses among workers.
        """

    def waiting(self, queues: Collection[str]) -> set[str] | None:
        """Return those queues for which a ring is on its way; None if that cannot be told."""

    def ping(self) -> None:
        """Do nothing if rings can be sent; raise `ConnectionError`, within about 2 s, if not."""


_submitters: tuple[Submitter, BulkSubmitter] | None = None


def plug_submitters(one: Submitter, many: BulkSubmitter) -> None:
    """Name the functions that accept jobs; called once, when the Django app is ready."""
    global _submitters
    _submitters = (one, many)


def submitters() -> tuple[Submitter, BulkSubmitter]:
    """Return the functions that accept a job, and many.

    Raises:
        RuntimeError: Django is not set up yet.
    """
    if _submitters is None:
        raise RuntimeError("jobs can be submitted once Django is set up: call django.setup() first")
    return _submitters
