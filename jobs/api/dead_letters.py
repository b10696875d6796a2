"""The dead letters over HTTP: jobs that failed for good, looked at, retried or removed."""

from typing import Annotated, Any
from uuid import UUID

from django.db.models import QuerySet
from ninja import Query as InQuery
from ninja import Router, Schema
from pydantic import Field

from jobs.api.authentication import ApiRequest, needs
from jobs.api.filters import Paged, cannot
from jobs.api.paging import Order, page
from jobs.api.parsing import Body, Moment
from jobs.domain import wire
from jobs.domain.access import Principal, Scope
from jobs.domain.errors import InvalidTransition
from jobs.domain.states import FailureReason, State
from jobs.models import Job
from jobs.public import describe, get, retry
from jobs.selectors.listings import jobs_matching
from jobs.selectors.tenants import visible
from jobs.services.retention import discard
from jobs.services.steering import retry_each

router = Router(tags=["dead letters"], by_alias=True)
#: How many one request retries or removes.
AT_ONCE = 1000


class Narrowing(Schema):
    """What dead letters can be narrowed by."""

    type: Annotated[str, Field(max_length=100)] | None = None
    queue: Annotated[str, Field(max_length=60)] | None = None
    tenant: Annotated[str, Field(max_length=50)] | None = None
    tag: Annotated[str, Field(max_length=50)] | None = None
    failure_reason: FailureReason | None = None
    error_type: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="The class of the exception that they ended in."
    )
    created_after: Moment | None = None
    created_before: Moment | None = None

    def jobs(self, principal: Principal) -> QuerySet[Job]:
        """Return the dead letters that the principal may see and that match."""
        found = jobs_matching(
            state=State.FAILED,
            job_type=self.type,
            queue=self.queue,
            tenant=self.tenant,
            tag=self.tag,
            failure_reason=self.failure_reason,
            error_type=self.error_type,
            created_after=self.created_after,
            created_before=self.created_before,
        )
        return visible(found, principal)


class DeadQuery(Narrowing, Paged):
    """What a list of dead letters takes."""


class Selection(Narrowing, Body):
    """Which dead letters are meant; something has to be said."""

    every: bool = Field(default=False, alias="all", strict=True, description="All there are.")

    def chosen(self, principal: Principal) -> QuerySet[Job]:
        """Return the dead letters that are meant.

        Raises:
            Problem: nothing narrows them, and it is not said that all are meant.
        """
        narrowed = self.model_dump(exclude={"every"}, exclude_none=True)
        if bool(narrowed) == self.every:
            raise cannot("all", "must be true, or something else be given that narrows them")
        return self.jobs(principal)


@router.get(
    "",
    auth=needs(Scope.READ),
    response=wire.JobPage,
    operation_id="listDeadLetters",
    summary="List dead letters",
)
def list_dead(request: ApiRequest, query: InQuery[DeadQuery]) -> dict[str, Any]:
    """Return the jobs that failed for good, those that failed last first."""
    jobs, following = page(
        query.jobs(request.auth),
        Order("finished_at", descending=True),
        limit=query.limit,
        cursor=query.cursor,
    )
    return {"items": [describe(job) for job in jobs], "next": following}


@router.post(
    "/{uuid:job_id}/retry",
    auth=needs(Scope.STEER),
    response=wire.Job,
    operation_id="retryDeadLetter",
    summary="Retry a dead letter",
)
def retry_one(request: ApiRequest, job_id: UUID) -> dict[str, Any]:
    """Queue a job again that failed for good."""
    job = get(job_id, tenant=request.auth.tenant)
    if job.state != State.FAILED:
        raise InvalidTransition(f"job {job.pk} is {job.state}, and no dead letter")
    return describe(retry(job.pk, actor=request.auth.name))


@router.post(
    "/retry",
    auth=needs(Scope.STEER),
    response=wire.Changed,
    operation_id="retryDeadLetters",
    summary="Retry all that match",
)
def retry_all(request: ApiRequest, body: Selection) -> dict[str, Any]:
    """Queue the dead letters again that match, the oldest first."""
    chosen, left = _some(body.chosen(request.auth))
    return {"count": retry_each(chosen, actor=request.auth.name), "left": left}


@router.post(
    "/purge",
    auth=needs(Scope.MANAGE),
    response=wire.Changed,
    operation_id="purgeDeadLetters",
    summary="Remove all that match",
)
def purge(request: ApiRequest, body: Selection) -> dict[str, Any]:
    """Remove the dead letters that match, for good."""
    chosen, left = _some(body.chosen(request.auth))
    tenant = request.auth.tenant
    return {"count": discard(chosen, actor=request.auth.name, tenant=tenant), "left": left}


def _some(jobs: QuerySet[Job]) -> tuple[QuerySet[Job], bool]:
    ids = list(jobs.order_by("id").values_list("pk", flat=True)[: AT_ONCE + 1])
    return Job.objects.filter(pk__in=ids[:AT_ONCE]), len(ids) > AT_ONCE
