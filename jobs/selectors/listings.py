"""One job by its id, and lists of jobs."""

from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db.models import QuerySet

from jobs.domain.errors import JobNotFound
from jobs.domain.priority import Priority
from jobs.domain.states import states_named
from jobs.models import Job, in_states

_COLUMNS = {
    "created_after": "created_at__gte",
    "created_before": "created_at__lt",
    "job_type": "job_type",
    "queue": "queue",
    "failure_reason": "failure_reason",
    "error_type": "error_type",
    "event_id": "event_id",
    "parent_id": "parent_id",
    "idempotency_key": "idempotency_key",
    "tenant": "tenant",
    "tag": "tags__tag",
    "created_by_id": "created_by_id",
}


class JobFilters(TypedDict, total=False):
    """What a list of jobs can be narrowed by; all of it optional."""

    #: A state or an alias of one, such as `dead`.
    state: str | None
    job_type: str | None
    queue: str | None
    priority: Priority | str | None
    #: Why failed jobs failed, such as `timeout`.
    failure_reason: str | None
    #: The class of the exception that they ended in.
    error_type: str | None
    event_id: UUID | None
    parent_id: UUID | None
    schedule: str | None
    #: A tenant's slug; empty: what belongs to none.
    tenant: str | None
    tag: str | None
    #: The primary key of the user on whose behalf it runs.
    created_by_id: Any
    created_after: datetime | None
    created_before: datetime | None
    idempotency_key: str | None


def one_to_one_links() -> list[str]:
    """Return the attributes of a job by which rows of other apps belong to it one to one."""
    relations = (each for each in Job._meta.related_objects if each.one_to_one)
    return [name for relation in relations if (name := relation.get_accessor_name())]


def jobs_matching(**filters: Unpack[JobFilters]) -> QuerySet[Job]:
    """Return the jobs that match every filter given, newest first.

    Raises:
        ValueError: a filter or a state is unknown.
        InvalidOption: a priority is unknown.
    """
    unknown = sorted(filters.keys() - JobFilters.__annotations__.keys())
    if unknown:
        known = ", ".join(JobFilters.__annotations__)
        raise ValueError(f"jobs cannot be filtered by {unknown[0]!r}; use one of: {known}")
    jobs = Job.objects.select_related(*one_to_one_links()).order_by("-id")
    jobs = jobs.prefetch_related("tags")
    if state := filters.get("state"):
        jobs = jobs.filter(in_states(states_named(state)))
    priority = filters.get("priority")
    if priority is not None:
        jobs = jobs.filter(priority=Priority.parse(priority))
    if schedule := filters.get("schedule"):
        jobs = jobs.filter(schedule__name=schedule)
    given = {column: filters.get(name) for name, column in _COLUMNS.items()}
    return jobs.filter(**{column: value for column, value in given.items() if value is not None})


def get_job(job_id: UUID | str, *, tenant: str = "") -> Job:
    """Return the job of that id.

    Args:
        job_id: its id.
        tenant: whose it has to be; empty: anyone's.

    Raises:
        JobNotFound: there is none, or the id is no UUID.
    """
    jobs = Job.objects.filter(tenant=tenant) if tenant else Job.objects
    try:
        wanted = job_id if isinstance(job_id, UUID) else UUID(str(job_id))
        return jobs.get(pk=wanted)
    except (ValueError, Job.DoesNotExist):
        raise JobNotFound(f"there is no job {job_id}") from None
