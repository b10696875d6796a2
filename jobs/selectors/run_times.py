"""How long jobs of a type run: a sample of the newest, which takes no longer as the table grows."""

from datetime import datetime, timedelta

from django.db.models import Avg, DurationField, ExpressionWrapper, F

from jobs.domain.states import State
from jobs.models import Job

_TOOK = ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField())


def mean_run_seconds(
    job_type: str, *, sample: int, since: datetime | None = None, tenant: str = ""
) -> float | None:
    """Return how long a job of the type runs on average; None if none has completed.

    Args:
        job_type: its name.
        sample: how many of the newest completed ones count, at most.
        since: only those that finished after this; None: all.
        tenant: whose jobs count; empty: everyone's.
    """
    completed = Job.objects.filter(
        state=State.COMPLETED,
        job_type=job_type,
        finished_at__isnull=False,
        started_at__isnull=False,
    )
    if since is not None:
        completed = completed.filter(finished_at__gt=since)
    if tenant:
        completed = completed.filter(tenant=tenant)
    newest = completed.order_by("-finished_at").annotate(took=_TOOK)[:sample]
    took: timedelta | None = newest.aggregate(mean=Avg("took"))["mean"]
    return None if took is None else max(0.0, took.total_seconds())
