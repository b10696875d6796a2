"""Batches over HTTP: made, added to, looked at, closed and cancelled."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from ninja import Query as InQuery
from ninja import Router, Status
from pydantic import Field, SkipValidation

from jobs.api.authentication import ApiRequest, needs
from jobs.api.bulk import MOST, accepted, read_jobs
from jobs.api.filters import Paged
from jobs.api.paging import Order, page
from jobs.api.parsing import Body
from jobs.api.rates import count_submissions
from jobs.api.submissions import JobIn, tenant_of
from jobs.domain import wire
from jobs.domain.access import Principal, Scope
from jobs.domain.priority import PriorityName
from jobs.domain.registry import registry
from jobs.domain.submission import NewJob
from jobs.models import Batch
from jobs.public import add_to_batch, cancel_batch, close_batch, create_batch, get_batch
from jobs.selectors.batches import describe_batch, describe_batches
from jobs.selectors.tenants import visible

router = Router(tags=["batches"], by_alias=True)


class LedTo(Body):
    """A job that a batch's end leads to."""

    type: Annotated[str, Field(max_length=100)] = Field(description="The name of a job type.")
    params: dict[str, Any] = Field(
        default={}, description="A parameter `batch_id` that is left out is the batch's id."
    )
    priority: PriorityName | None = None
    queue: str | None = Field(default=None, max_length=60)

    def as_new_job(self) -> NewJob:
        """Return it as the engine takes it."""
        registry.get(self.type)
        options = {"priority": self.priority, "queue": self.queue}
        given = {name: value for name, value in options.items() if value is not None}
        return NewJob(self.type, self.params, given)  # type: ignore[arg-type] # named as options


class BatchIn(Body):
    """A batch to be made."""

    name: str = Field(default="", max_length=100, description="For people.")
    # Each is checked by itself, so that a wrong one does not keep the others from being accepted.
    jobs: Annotated[list[SkipValidation[JobIn]], Field(max_length=MOST)] = Field(default=[])
    on_complete: LedTo | None = Field(
        default=None, description="Submitted once all have ended, whichever way."
    )
    on_success: LedTo | None = Field(default=None, description="Submitted once all have completed.")
    on_failure: LedTo | None = Field(
        default=None, description="Submitted once all have ended, and not all of them well."
    )
    closed: Annotated[bool, Field(strict=True)] = Field(
        default=True, description="False: it stays open for more jobs until it is closed."
    )
    tenant: str | None = Field(default=None, max_length=50)


class MoreJobs(Body):
    """Jobs to be put in."""

    jobs: Annotated[list[SkipValidation[JobIn]], Field(min_length=1, max_length=MOST)]


@router.get(
    "", auth=needs(Scope.READ), response=wire.BatchPage, operation_id="listBatches",
    summary="List batches",
)  # fmt: skip
def list_batches(request: ApiRequest, query: InQuery[Paged]) -> dict[str, Any]:
    """Return the batches, newest first."""
    rows = visible(Batch.objects.all(), request.auth)
    order = Order("pk", descending=True)
    found, following = page(rows, order, limit=query.limit, cursor=query.cursor)
    return {"items": describe_batches(found), "next": following}


@router.post(
    "", auth=needs(Scope.SUBMIT), response={202: wire.BatchAccepted}, operation_id="createBatch",
    summary="Make a batch",
)  # fmt: skip
def create(request: ApiRequest, body: BatchIn) -> Status[dict[str, Any]]:
    """Accept jobs that belong together, and what their common end is to lead to.

    A job that cannot be accepted is named in `errors` by its place; the others are in the batch.
    """
    count_submissions(request, max(1, len(body.jobs)))
    tenant = tenant_of(body.tenant, request.auth)
    moments = ("on_complete", "on_success", "on_failure")
    led_to = {
        name: found.as_new_job() for name in moments if (found := getattr(body, name)) is not None
    }
    made = create_batch(
        name=body.name, tenant=tenant, closed=False, created_by_id=request.auth.user_id,
        actor=request.auth.name, **led_to,
    )  # fmt: skip
    batch = get_batch(made.batch_id)
    told = _put_in(batch, body.jobs, request.auth)
    if body.closed:
        close_batch(batch)
    return Status(HTTPStatus.ACCEPTED, told)


@router.get(
    "/{uuid:batch_id}", auth=needs(Scope.READ), response=wire.Batch, operation_id="getBatch",
    summary="Look at a batch",
)  # fmt: skip
def get_one(request: ApiRequest, batch_id: UUID) -> dict[str, Any]:
    """Return a batch, and how far it is."""
    return describe_batch(get_batch(batch_id, tenant=request.auth.tenant))


@router.post(
    "/{uuid:batch_id}/jobs", auth=needs(Scope.SUBMIT), response={202: wire.BatchAccepted},
    operation_id="addToBatch", summary="Put jobs into a batch",
)  # fmt: skip
def add(request: ApiRequest, batch_id: UUID, body: MoreJobs) -> Status[dict[str, Any]]:
    """Put more jobs into a batch that has not finished."""
    batch = get_batch(batch_id, tenant=request.auth.tenant)
    count_submissions(request, len(body.jobs))
    return Status(HTTPStatus.ACCEPTED, _put_in(batch, body.jobs, request.auth))


@router.post(
    "/{uuid:batch_id}/close", auth=needs(Scope.SUBMIT), response=wire.Batch,
    operation_id="closeBatch", summary="Close a batch",
)  # fmt: skip
def close(request: ApiRequest, batch_id: UUID) -> dict[str, Any]:
    """Let the batch end once all of its jobs have."""
    batch = get_batch(batch_id, tenant=request.auth.tenant)
    close_batch(batch)
    return describe_batch(get_batch(batch_id))


@router.post(
    "/{uuid:batch_id}/cancel", auth=needs(Scope.STEER), response=wire.Batch,
    operation_id="cancelBatch", summary="Cancel a batch",
)  # fmt: skip
def cancel(request: ApiRequest, batch_id: UUID) -> dict[str, Any]:
    """Cancel every job of the batch that has not ended."""
    batch = get_batch(batch_id, tenant=request.auth.tenant)
    cancel_batch(batch, actor=request.auth.name)
    return describe_batch(get_batch(batch_id))


def _put_in(batch: Batch, given: Sequence[Any], principal: Principal) -> dict[str, Any]:
    good, problems = read_jobs(given, principal)
    result = add_to_batch(batch, good.values())
    return {**accepted(len(given), list(good), result, problems), "batchId": batch.pk}
