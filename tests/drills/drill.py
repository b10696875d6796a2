"""One drill: its jobs, its faults, and the account at its end."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Count

from jobs.domain.states import FINAL
from jobs.models import Job
from jobs.public import submit
from jobs.selectors.ledger import ledger
from tests.drills.witness import Witness, completions
from tests.stack import eventually

#: Of the workers, in drills.
LEASE_SECONDS = 3.0
#: From the fault until everything is as it should be: the lease, the reaper's sweep, and 15 s.
RECOVERY_SECONDS = LEASE_SECONDS + LEASE_SECONDS / 3 + 15


@dataclass
class Row:
    """What the table at the end says of a drill."""

    number: str
    name: str
    stack: str
    jobs: int
    lost: int
    twice: int
    most_runs: int
    seconds: float | None


#: Every drill that was held in this run.
ROWS: list[Row] = []


@dataclass
class Drill:
    """The jobs of one drill and what became of them."""

    number: str
    name: str
    stack: str
    witness: Witness
    ids: list[UUID] = field(default_factory=list)
    crashes: int = 0
    _fault_at: float | None = None

    def submit(self, count: int = 1, job_type: str = "sample.silent", **options: Any) -> list[UUID]:
        """Submit jobs that leave lines at the witness; return their ids."""
        params = options.pop("params", {})
        new = []
        for _ in range(count):
            label = str(len(self.ids))
            given = {"path": str(self.witness.path), "label": label, **params}
            new.append(submit(job_type, given, **options).job_id)
            self.ids.append(new[-1])
        return new

    def fault(self) -> None:
        """Note that a fault has struck just now, and count it as a crash."""
        self.crashes += 1
        self._fault_at = time.monotonic()

    def disturbed(self) -> None:
        """Note that something went wrong just now of which no process died."""
        self._fault_at = time.monotonic()

    def all_final(self, ids: Sequence[UUID] | None = None) -> bool:
        """Return whether every job has ended."""
        wanted = self.ids if ids is None else ids
        return Job.objects.filter(pk__in=wanted, state__in=FINAL).count() == len(wanted)

    def account(
        self,
        *,
        within: float = RECOVERY_SECONDS,
        completed: Sequence[UUID] | None = None,
        runs_at_most: int | None = None,
    ) -> None:
        """Wait until every job has ended, and check that the promise was kept.

        Args:
            within: seconds from the fault, or from now if there was none.
            completed: those that must have completed; all, if it is None.
            runs_at_most: how often one may have begun; 1 and one more a crash, if it is None.
        """
        begin = self._fault_at or time.monotonic()
        left = within - (time.monotonic() - begin)
        try:
            eventually(self.all_final, max(left, 0.1), what=f"drill {self.number} to end")
        finally:
            self._enter(time.monotonic() - begin)
        done = completions()
        must = self.ids if completed is None else completed
        assert {each: done[each] for each in must} == dict.fromkeys(must, 1)
        allowed = 1 + self.crashes if runs_at_most is None else runs_at_most
        assert max(self.witness.count("begin").values(), default=0) <= allowed
        account = ledger()
        assert account.misplaced == ()
        states = dict(Job.objects.values_list("state").annotate(Count("pk")))
        assert account.accepted == sum(states.values())

    def enter_occurrences(self) -> None:
        """Enter a drill of which no job is run: each occurrence has the one job that it must."""
        ROWS.append(Row(self.number, self.name, self.stack, len(self.ids), 0, 0, 0, None))

    def _enter(self, seconds: float) -> None:
        done = completions()
        there = set(Job.objects.filter(pk__in=self.ids).values_list("pk", flat=True))
        ended = set(
            Job.objects.filter(pk__in=self.ids, state__in=FINAL).values_list("pk", flat=True)
        )
        ROWS.append(
            Row(
                number=self.number,
                name=self.name,
                stack=self.stack,
                jobs=len(self.ids),
                lost=len(set(self.ids) - there) + len(there - ended),
                twice=sum(count > 1 for count in done.values()),
                most_runs=max(self.witness.count("begin").values(), default=0),
                seconds=round(seconds, 1) if self._fault_at is not None else None,
            )
        )
