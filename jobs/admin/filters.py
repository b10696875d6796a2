"""The filters beside the lists."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from jobs.admin.display import GLYPHS
from jobs.admin.links import short_id
from jobs.admin.tenancy import own
from jobs.domain.priority import Priority, queue_name
from jobs.domain.registry import registry
from jobs.domain.states import ALIASES, State, states_named
from jobs.models import Job, Schedule, in_states

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _Jobs = QuerySet[Job]

PERIODS: Final = {
    "hour": ("Last hour", timedelta(hours=1)),
    "day": ("Last 24 hours", timedelta(days=1)),
    "week": ("Last 7 days", timedelta(days=7)),
}
#: How far the clock in a job's id may be from the one in its `created_at`.
_SLACK = timedelta(minutes=5)


class StateFilter(admin.SimpleListFilter):
    """A state; in the address also an alias, which is listed only while it is chosen."""

    title = "state"
    parameter_name = "state"
    template = "admin/jobs/job/state_filter.html"

    def lookups(self, request: HttpRequest, model_admin: "_ModelAdmin") -> list[tuple[str, str]]:
        """Return the states, and the alias that was asked for with what it stands for."""
        asked_for = request.GET.get(self.parameter_name, "")
        aliases = [asked_for] if asked_for in ALIASES else []
        return [
            *((state, state) for state in State),
            *((alias, f"{alias}: {', '.join(sorted(ALIASES[alias]))}") for alias in aliases),
        ]

    def choices(self, changelist: ChangeList) -> "Iterator[Any]":
        """Yield each choice with its glyph."""
        for choice, (name, _) in zip(
            super().choices(changelist), [("", ""), *self.lookup_choices], strict=True
        ):
            yield {**choice, "glyph": GLYPHS.get(str(name))}

    def queryset(self, request: HttpRequest, queryset: "_Jobs") -> "_Jobs":
        """Narrow the list."""
        name = self.value()
        if not name:
            return queryset
        try:
            return queryset.filter(in_states(states_named(name)))
        except ValueError as error:
            raise IncorrectLookupParameters(error) from None


class ChoiceFilter(admin.SimpleListFilter):
    """A column with values that are known without asking the table."""

    column: ClassVar[str]

    def queryset(self, request: HttpRequest, queryset: "_Jobs") -> "_Jobs":
        """Narrow the list."""
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class TypeFilter(ChoiceFilter):
    """The job type."""

    title = "type"
    parameter_name = column = "job_type"

    def lookups(self, request: HttpRequest, model_admin: "_ModelAdmin") -> list[tuple[str, str]]:
        """Return the registered types."""
        return [(each.name, each.name) for each in registry]


class QueueFilter(ChoiceFilter):
    """The Celery queue."""

    title = "queue"
    parameter_name = column = "queue"

    def lookups(self, request: HttpRequest, model_admin: "_ModelAdmin") -> list[tuple[str, str]]:
        """Return the queues that jobs can be in."""
        names = [queue_name(own, each) for own in ["", *registry.queues()] for each in Priority]
        return [(name, name) for name in names]


class PeriodFilter(admin.SimpleListFilter):
    """The time since a row was made."""

    title = "time"
    parameter_name = "since"
    column = "created_at"

    def lookups(self, request: HttpRequest, model_admin: "_ModelAdmin") -> list[tuple[str, str]]:
        """Return the periods."""
        return [(name, told) for name, (told, _) in PERIODS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list."""
        period = PERIODS.get(self.value() or "")
        if period is None:
            return queryset
        return self.since(queryset, timezone.now() - period[1])

    def since(self, queryset: QuerySet[Any], at: datetime) -> QuerySet[Any]:
        """Return the rows made since then."""
        return queryset.filter(**{f"{self.column}__gte": at})


class JobPeriodFilter(PeriodFilter):
    """The time since a job was submitted."""

    def since(self, queryset: QuerySet[Any], at: datetime) -> QuerySet[Any]:
        """Return the jobs made since then; their ids sort by time and have the index."""
        return super().since(queryset, at).filter(pk__gte=first_id_at(at - _SLACK))


class OriginFilter(admin.SimpleListFilter):
    """What a link from another page narrowed the list to; shown only then."""

    column: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: "_ModelAdmin") -> list[tuple[str, str]]:
        """Return the one value that was asked for."""
        value = request.GET.get(self.parameter_name or "", "")
        return [(value, self.told(value, request))] if value else []

    def told(self, value: str, request: HttpRequest) -> str:
        """Return the value as the user knows it."""
        return value

    def queryset(self, request: HttpRequest, queryset: "_Jobs") -> "_Jobs":
        """Narrow the list."""
        if not self.value():
            return queryset
        try:
            return queryset.filter(**{self.column: self.value()})
        except (ValueError, ValidationError) as error:
            raise IncorrectLookupParameters(error) from None


class ScheduleFilter(OriginFilter):
    """The schedule that made the job."""

    title = "schedule"
    parameter_name = "schedule"
    column = "schedule_id"

    def told(self, value: str, request: HttpRequest) -> str:
        """Return the schedule's name."""
        found = Schedule.objects.filter(pk=value) if value.isdecimal() else Schedule.objects.none()
        found = own(request, found, by="tenant")
        return found.values_list("name", flat=True).first() or value


class ParentFilter(OriginFilter):
    """The job that led to the job."""

    title = "parent"
    parameter_name = "parent"
    column = "parent_id"

    def told(self, value: str, request: HttpRequest) -> str:
        """Return the short id."""
        return short_id(value)


def first_id_at(at: datetime) -> UUID:
    """Return the lowest UUIDv7 of a moment: its first 48 bits are milliseconds (RFC 9562, 5.7)."""
    since_epoch = at - datetime(1970, 1, 1, tzinfo=UTC)
    return UUID(int=(since_epoch // timedelta(milliseconds=1)) << 80)
