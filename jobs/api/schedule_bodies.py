"""What requests about schedules hold."""

from typing import Annotated, Any

from pydantic import Field

from jobs.api.filters import Paged
from jobs.api.parsing import Body, Count, Moment, Query
from jobs.domain.priority import PriorityName
from jobs.domain.schedules import LONGEST_JITTER, MissedName, OverlapName
from jobs.services.schedules import MAX_NAME_LENGTH

_Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH)]
_Cron = Annotated[str, Field(min_length=1, max_length=200)]
_Zone = Annotated[str, Field(min_length=1, max_length=64)]
_Jitter = Annotated[Count, Field(ge=0, le=int(LONGEST_JITTER.total_seconds()))]
MOST_OCCURRENCES = 50
_OVERLAP = (
    "What becomes of a run while a job of the one before has not ended: it runs too, is skipped, "
    "waits (`queue_one`: one of them; `queue_all`: each), or the others are cancelled first."
)
_MISSED = (
    "What becomes of runs that came while nothing kept time: one job for all of them, none, or "
    "one for each of the latest hundred."
)


class ScheduleQuery(Paged):
    """What a list of schedules takes."""

    type: Annotated[str, Field(max_length=100)] | None = None
    name: Annotated[str, Field(max_length=100)] | None = None
    tenant: Annotated[str, Field(max_length=50)] | None = None
    enabled: bool | None = None


class ScheduleIn(Body):
    """A schedule to be made."""

    name: _Name
    type: Annotated[str, Field(max_length=100)] = Field(description="The name of a job type.")
    params: dict[str, Any] = Field(default={})
    cron: _Cron = Field(
        description="Minute, hour, day of the month, month, day of the week; or `@daily` and such. "
        "Six fields: the first is the second."
    )
    time_zone: _Zone = Field(default="UTC", description="An IANA name, such as Europe/Berlin.")
    priority: PriorityName | None = None
    enabled: Annotated[bool, Field(strict=True)] = True
    overlap: OverlapName = Field(default="run", description=_OVERLAP)
    missed: MissedName = Field(default="once", description=_MISSED)
    starts_at: Moment | None = Field(default=None, description="No run before; null: from now on.")
    ends_at: Moment | None = Field(default=None, description="No run after; null: for ever.")
    jitter_seconds: _Jitter = Field(
        default=0, description="Each run is put off by so much at most."
    )
    tenant: str | None = Field(default=None, max_length=50)


class ScheduleChange(Body):
    """What is to be changed of a schedule; what is left out stays."""

    name: _Name | None = None
    params: dict[str, Any] | None = None
    cron: _Cron | None = None
    time_zone: _Zone | None = None
    priority: PriorityName | None = Field(default=None, description="Null: the type's own.")
    enabled: Annotated[bool, Field(strict=True)] | None = None
    overlap: OverlapName | None = Field(default=None, description=_OVERLAP)
    missed: MissedName | None = Field(default=None, description=_MISSED)
    starts_at: Moment | None = Field(default=None, description="Null: from now on.")
    ends_at: Moment | None = Field(default=None, description="Null: for ever.")
    jitter_seconds: _Jitter | None = None


class PreviewQuery(Query):
    """What a preview takes."""

    cron: _Cron
    time_zone: _Zone = "UTC"
    count: Annotated[int, Field(ge=1, le=MOST_OCCURRENCES)] = 5


class NextQuery(Query):
    """How many occurrences are wanted."""

    count: Annotated[int, Field(ge=1, le=MOST_OCCURRENCES)] = 5


class CollisionQuery(Query):
    """How far ahead to look."""

    hours: Annotated[int, Field(ge=1, le=24)] = 24
