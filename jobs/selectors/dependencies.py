"""What a job waits for, and what waits for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from jobs.domain.states import State
from jobs.models import Dependency, Job

#: Jobs that are named on a page or in an answer.
MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class DependencyView:
    """A job that another one waits for, or that waits for another one.

    Attributes:
        job_id: the one that is told of.
        job_type: its type; empty once it was removed.
        state: its state; empty once it was removed.
        on_failure: what its failure means to the one that waits.
        verdict: what came of it: `pending`, `met` or `failed`.
        settled_at: when that was settled; None while it is pending.
    """

    job_id: UUID
    job_type: str
    state: str
    on_failure: str
    verdict: str
    settled_at: datetime | None


def waits_for(job: Job) -> list[DependencyView]:
    """Return what the job waits for, in the order in which it was named; the first hundred."""
    edges = list(Dependency.objects.filter(child=job).order_by("pk")[:MOST_SHOWN])
    return _views(edges, [edge.parent_id for edge in edges])


def followers(job: Job) -> list[DependencyView]:
    """Return what waits for the job, or has waited; the first hundred."""
    if not job.followed:
        return []
    edges = list(Dependency.objects.filter(parent=job).order_by("pk")[:MOST_SHOWN])
    return _views(edges, [edge.child_id for edge in edges])


def results_of(job: Job) -> dict[UUID, Any]:
    """Return what the jobs returned that this one has waited for, by id, in their order."""
    parents = (
        Dependency.objects.filter(child=job).order_by("pk").values_list("parent_id", flat=True)
    )
    ids = list(parents)
    completed = Job.objects.filter(pk__in=ids, state=State.COMPLETED)
    results = dict(completed.values_list("pk", "result"))
    return {job_id: results.get(job_id) for job_id in ids}


def _views(edges: list[Dependency], job_ids: list[UUID]) -> list[DependencyView]:
    jobs = Job.objects.only("job_type", "state").in_bulk(job_ids)
    return [
        DependencyView(
            job_id=job_id,
            job_type=jobs[job_id].job_type if job_id in jobs else "",
            state=jobs[job_id].state if job_id in jobs else "",
            on_failure=edge.on_failure,
            verdict=edge.verdict or "pending",
            settled_at=edge.settled_at,
        )
        for edge, job_id in zip(edges, job_ids, strict=True)
    ]
