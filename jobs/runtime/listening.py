"""What a worker listens to: the queues that it takes jobs from, and one for bells to it alone."""

from collections.abc import Iterable

#: No job's queue ends so: those end with a priority.
_DIRECT = ".direct"


def direct_queue_name(worker: str) -> str:
    """Return the Celery queue of the bells that are for this worker alone, by its node name."""
    return f"{worker}{_DIRECT}"


def job_queues(consumed: Iterable[str]) -> list[str]:
    """Return those of the Celery queues that a worker consumes that it takes jobs from."""
    return [name for name in consumed if not name.endswith(_DIRECT)]
