"""What a list of jobs can be narrowed and sorted by, over HTTP."""

from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTransform
from pydantic import AfterValidator, Field, Json, WithJsonSchema

from jobs.api.paging import Order
from jobs.api.parsing import Moment, Query
from jobs.api.problems import Problem
from jobs.domain.access import Principal
from jobs.domain.priority import PriorityName
from jobs.domain.states import ALIASES, FINAL, TIMED, FailureReason, State, states_named
from jobs.models import Job
from jobs.selectors.listings import JobFilters, jobs_matching
from jobs.selectors.tenants import visible


def _known_state(name: str) -> str:
    states_named(name)
    return name


_STATE_NAMES = [*map(str, State), *ALIASES]
StateName = Annotated[
    str,
    AfterValidator(_known_state),
    WithJsonSchema({"type": "string", "enum": _STATE_NAMES}),
]
Sort = Literal["-created", "created", "-finished", "finished", "run_at"]
Scalar = str | int | float | bool | None
_COLUMNS = {"created": "pk", "finished": "finished_at", "run_at": "run_at"}


class Paged(Query):
    """What every list takes."""

    limit: Annotated[int, Field(ge=1, le=200)] = Field(default=50, description="At most so many.")
    cursor: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="`next` of the page before."
    )


class JobQuery(Paged):
    """What a list of jobs takes."""

    type: Annotated[str, Field(max_length=100)] | None = None
    state: StateName | None = Field(default=None, description="A state, or another name of some.")
    priority: PriorityName | None = None
    queue: Annotated[str, Field(max_length=60)] | None = None
    failure_reason: FailureReason | None = None
    error_type: Annotated[str, Field(max_length=200)] | None = None
    tenant: Annotated[str, Field(max_length=50)] | None = None
    tag: Annotated[str, Field(max_length=50)] | None = None
    owner: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = Field(
        default=None, description="The id of the user on whose behalf it runs."
    )
    schedule: Annotated[str, Field(max_length=100)] | None = None
    event_id: UUID | None = None
    parent_id: UUID | None = None
    idempotency_key: Annotated[str, Field(max_length=200)] | None = None
    created_after: Moment | None = Field(default=None, description="At that moment or later.")
    created_before: Moment | None = None
    params: Json[dict[Annotated[str, Field(min_length=1)], Scalar]] | None = Field(
        default=None,
        description="A JSON object: the parameters that have these values, such as "
        '`{"customer": 7}`; together with `type`. No index finds them: a page looks through 10,000 '
        "jobs, and may hold none and not be the last.",
    )
    sort: Sort = Field(
        default="-created",
        description="`-` for the latest first. `finished` needs `state=failed`, or a final state "
        "and a type; `run_at` needs a state whose time is ahead.",
    )

    def jobs(self, principal: Principal) -> QuerySet[Job]:
        """Return the jobs that the principal may see and that match all but `params`."""
        filters: JobFilters = {
            "state": self.state,
            "job_type": self.type,
            "queue": self.queue,
            "priority": self.priority,
            "failure_reason": self.failure_reason,
            "error_type": self.error_type,
            "event_id": self.event_id,
            "parent_id": self.parent_id,
            "schedule": self.schedule,
            "tenant": self.tenant,
            "tag": self.tag,
            "created_by_id": self.owner,
            "created_after": self.created_after,
            "created_before": self.created_before,
            "idempotency_key": self.idempotency_key,
        }
        # By an alias: a parameter may have any name, also one that Django would take apart.
        names = {
            f"param_{place}": KeyTransform(name, "params")
            for place, name in enumerate(self.params or {})
        }
        return visible(jobs_matching(**filters), principal).alias(**names)

    def matching_params(self) -> Q | None:
        """Return the condition that `params` is; None without one.

        Raises:
            Problem: no type says whose parameters they are.
        """
        if not self.params:
            return None
        if self.type is None:
            raise cannot("params", "needs a type: give `type` as well")
        return Q(**{f"param_{place}": value for place, value in enumerate(self.params.values())})

    def order(self) -> Order:
        """Return how the list is sorted.

        Raises:
            Problem: what is listed has no such order.
        """
        column = _COLUMNS[self.sort.removeprefix("-")]
        states: frozenset[State] = states_named(self.state) if self.state else frozenset()
        one_type = self.type is not None
        if column == "finished_at" and not (
            states == {State.FAILED} or (one_type and states and states <= FINAL)
        ):
            why = "by finished needs state=failed, or a final state together with a type"
            raise cannot("sort", why)
        if column == "run_at" and not (states and states <= TIMED):
            raise cannot("sort", "by run_at needs state=scheduled, retrying or delayed")
        return Order(column, descending=self.sort.startswith("-"))


def cannot(name: str, why: str) -> Problem:
    """Return the answer to a field that does not go with the others."""
    return Problem(HTTPStatus.BAD_REQUEST, "invalid_request", f"{name} {why}", wrong=[(name, why)])
