"""Removing what has been kept long enough."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from jobs.conf import jobs_settings
from jobs.domain.states import FINAL, State
from jobs.models import Batch, Dependency, Job, Removal, Worker
from jobs.selectors.clock import database_now
from jobs.services.audit import record
from jobs.services.batch_life import forget_batches
from jobs.services.uniqueness import forget_holds

#: Rows of stopped workers are kept at least this long, so that people can look at them.
WORKERS_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Rule:
    """How long finished jobs of a state are kept: of one type, or of all without an own rule.

    Attributes:
        job_type: None for every type that has no rule of its own for this state.
        others: the types that have.
    """

    state: State
    job_type: str | None
    kept: timedelta
    others: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """How reports name the rule: `completed`, or `completed:reports.export`."""
        return f"{self.state}:{self.job_type}" if self.job_type else str(self.state)

    def past(self, now: datetime) -> QuerySet[Job]:
        """Return the jobs that have been kept long enough."""
        waiting = Dependency.objects.filter(parent=OuterRef("pk")).exclude(child__state__in=FINAL)
        jobs = Job.objects.filter(
            # What others wait for, they may still ask for its result.
            Q(followed=False) | ~Exists(waiting),
            # The count of a batch is taken when it has finished.
            Q(batch=None)
            | ~Exists(Batch.objects.filter(pk=OuterRef("batch_id"), finished_at=None)),
            state=self.state,
            finished_at__lt=now - self.kept,
        )
        if self.job_type is not None:
            return jobs.filter(job_type=self.job_type)
        return jobs.exclude(job_type__in=self.others)


def rules() -> list[Rule]:
    """Return the rules that the settings make."""
    settings = jobs_settings()
    by_type = settings.retention_by_type
    made = []
    for state in sorted(FINAL):
        own = {name: kept[state] for name, kept in by_type.items() if state in kept}
        site = float(getattr(settings, f"retention_{state}_seconds"))
        made.append(Rule(state, None, timedelta(seconds=site), tuple(sorted(own))))
        made.extend(Rule(state, name, timedelta(seconds=kept)) for name, kept in own.items())
    return made


def purge(
    *,
    now: datetime | None = None,
    dry_run: bool = False,
    batch_size: int = 500,
    on_batch: Callable[[int], None] | None = None,
) -> dict[str, int]:
    """Remove finished jobs that are past their retention, in batches, each its own transaction.

    Any number of processes may do so at once. A job that someone retries meanwhile stays; one
    that is being retried at this very moment is left for the next time.

    Args:
        now: the moment to count from; the database's time if None.
        dry_run: only count; the counts are those that a real run at the same moment removes.
        batch_size: jobs a batch.
        on_batch: called with the number removed so far, after each batch.

    Returns:
        How many jobs each rule removes, by the rule's label, and `workers`.
    """
    now = now or database_now()
    every = rules()
    removed: dict[str, int] = {}
    for rule in every:
        past = rule.past(now)
        removed[rule.label] = past.count() if dry_run else 0
        if not dry_run:
            for count in _delete_in_batches(past, batch_size):
                removed[rule.label] += count
                if on_batch is not None:
                    on_batch(sum(removed.values()))
    if not dry_run:
        forget_holds(now)
        forget_batches(now)
    # A worker outlives the jobs that it ran, so that none of them names a row that is gone.
    workers_kept = max(WORKERS_KEPT, *(rule.kept for rule in every))
    gone = Worker.objects.filter(stopped_at__lt=now - workers_kept)
    removed["workers"] = gone.count() if dry_run else gone.delete()[0]
    return removed


def discard(
    jobs: QuerySet[Job],
    *,
    actor: str,
    tenant: str = "",
    batch_size: int = 500,
    on_batch: Callable[[int], None] | None = None,
) -> int:
    """Remove those of the jobs that are dead letters, before their retention is over.

    Returns:
        How many were removed. A job that is not failed stays, whatever the query says.
    """
    removed = 0
    for count in _delete_in_batches(jobs.filter(state=State.FAILED), batch_size):
        removed += count
        if on_batch is not None:
            on_batch(removed)
    if removed:
        record(
            actor=actor,
            action="job.discard",
            target_type="job",
            target_id="many",
            tenant=tenant,
            count=removed,
        )
    return removed


def delete_final(jobs: QuerySet[Job], *, actor: str) -> int:
    """Remove those of the jobs that are final, in one transaction, and say of each who did.

    Returns:
        How many were removed. A job that someone retried meanwhile stays.
    """
    chosen = list(jobs.values_list("pk", flat=True))
    with transaction.atomic():
        # Locked: what is counted and written down is what goes.
        final = Job.objects.select_for_update().filter(pk__in=chosen, state__in=FINAL)
        known = list(final.order_by("pk").values_list("pk", "job_type", "tenant"))
        going = Job.objects.filter(pk__in=[job_id for job_id, *_ in known])
        for job_id, job_type, tenant in known:
            record(
                actor=actor,
                action="job.delete",
                target_type="job",
                target_id=job_id,
                tenant=tenant,
                job_type=job_type,
            )
        _note_removal(going)
        going.delete()
    return len(known)


def _delete_in_batches(past: QuerySet[Job], batch_size: int) -> Iterator[int]:
    # Type by type: each statement then reads one range of the index `job_finished`.
    for job_type in list(past.order_by().values_list("job_type", flat=True).distinct()):
        of_type = past.filter(job_type=job_type)
        while count := _delete_batch(of_type, batch_size):
            yield count
            if count < batch_size:
                break


def _delete_batch(past: QuerySet[Job], batch_size: int) -> int:
    with transaction.atomic():
        # Django looks up what hangs on the rows before it deletes them by id alone: the lock (on
        # SQLite, the transaction itself) keeps the rows final until then.
        oldest = past.select_for_update(skip_locked=True).order_by("finished_at")
        ids = list(oldest.values_list("pk", flat=True)[:batch_size])
        if ids:
            _note_removal(past.filter(pk__in=ids))
            # Without the parameters and results, which may be large.
            Job.objects.filter(pk__in=ids).only("pk").delete()
    return len(ids)


def _note_removal(jobs: QuerySet[Job]) -> None:
    """Keep count of what is removed, in the same transaction, so that the ledger balances."""
    day = timezone.now().date()
    # In one order everywhere, so that two who remove at once do not lock each other out.
    counts = jobs.order_by("state").values_list("state").annotate(Count("pk"))
    for state, count in counts:
        row, _ = Removal.objects.get_or_create(day=day, state=state)
        Removal.objects.filter(pk=row.pk).update(count=F("count") + count)
