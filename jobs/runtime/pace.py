"""How many jobs a process takes at once: as many as it is likely to run within a short time.

A take that finds many quick jobs costs hardly more than one that finds one, so quick jobs share a
take. What is taken waits for what was taken before it, so slow jobs do not.
"""

#: How much of what is known of a type the newest run replaces.
_WEIGHT = 0.2


class Pace:
    """What a process has measured of its own runs."""

    def __init__(self, *, limit: int, budget_seconds: float) -> None:
        """Make it.

        Args:
            limit: jobs in a take, at most.
            budget_seconds: how long a take should keep its process busy, at most.
        """
        self.limit = limit
        self.budget_seconds = budget_seconds
        self._size = 1
        self._run_seconds: dict[str, float] = {}

    @property
    def size(self) -> int:
        """How many to take next."""
        return self._size

    def is_quick(self, job_type: str) -> bool:
        """Return whether others may wait for a run of this type: one that was never seen is not."""
        return self._run_seconds.get(job_type, self.budget_seconds) < self.budget_seconds / 2

    def note_run(self, job_type: str, seconds: float) -> None:
        """Note how long one run took."""
        known = self._run_seconds.get(job_type)
        if known is None:
            self._run_seconds[job_type] = seconds
        else:
            self._run_seconds[job_type] = known + _WEIGHT * (seconds - known)

    def note_take(self, ran: int, seconds: float) -> None:
        """Note how long the runs of one take took, and size the next one by it.

        It at most doubles, so that one lucky take does not make the next too large.
        """
        fitting = int(ran * self.budget_seconds / max(seconds, 1e-6))
        self._size = max(1, min(fitting, self._size * 2, self.limit))
