"""The job types that this process may take, where its worker's profile names some."""

from jobs.runtime.worker_process import worker_process
from jobs.selectors.profiles import job_types_of


class AllowedTypes:
    """Reads the profile again only when the worker's parent says that its types have changed."""

    def __init__(self) -> None:
        self._version = 0
        self._types: frozenset[str] | None = None

    def now(self) -> frozenset[str] | None:
        """Return them; None: all."""
        version = worker_process.types_version
        if version != self._version:
            self._types = job_types_of(worker_process.profile_name)
            self._version = version
        return self._types


allowed_types = AllowedTypes()
