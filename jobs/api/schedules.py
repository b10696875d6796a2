"""Schedules over HTTP: kept, previewed and triggered."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any

from django.utils import timezone
from ninja import Path, Router, Status
from ninja import Query as InQuery

from jobs.api.authentication import ApiRequest, needs
from jobs.api.paging import Order, page
from jobs.api.rates import count_submissions
from jobs.api.schedule_bodies import (
    CollisionQuery,
    NextQuery,
    PreviewQuery,
    ScheduleChange,
    ScheduleIn,
    ScheduleQuery,
)
from jobs.api.submissions import tenant_of
from jobs.domain import wire
from jobs.domain.access import Scope
from jobs.domain.cron import check_cron, occurrences, zone
from jobs.domain.errors import ScheduleNotFound
from jobs.domain.priority import Priority
from jobs.domain.registry import registry
from jobs.domain.sensitive import shown
from jobs.models import Schedule
from jobs.selectors.tenants import visible
from jobs.services import schedules, scheduling, simulation

router = Router(tags=["schedules"], by_alias=True)
_ID = Annotated[int, Path(ge=1, le=2**63 - 1)]
#: What null means to a change: no value, where leaving it out means no change.
_NULLABLE = ("starts_at", "ends_at")


@router.get(
    "",
    auth=needs(Scope.READ),
    response=wire.SchedulePage,
    operation_id="listSchedules",
    summary="List schedules",
)
def list_schedules(request: ApiRequest, query: InQuery[ScheduleQuery]) -> dict[str, Any]:
    """Return the schedules that match, by their ids."""
    wanted = {
        "job_type": query.type,
        "name": query.name,
        "tenant": query.tenant,
        "enabled": query.enabled,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    rows = visible(Schedule.objects.filter(**given), request.auth)
    found, following = page(rows, Order("pk"), limit=query.limit, cursor=query.cursor)
    return {"items": [_told(schedule) for schedule in found], "next": following}


@router.post(
    "",
    auth=needs(Scope.MANAGE),
    response={201: wire.Schedule},
    operation_id="createSchedule",
    summary="Create a schedule",
)
def create(request: ApiRequest, body: ScheduleIn) -> Status[dict[str, Any]]:
    """Create a schedule; it acts within seconds, without a restart of anything."""
    made = schedules.create_schedule(
        body.name,
        body.type,
        cron=body.cron,
        params=_strict(body.type, body.params),
        time_zone=body.time_zone,
        priority=body.priority,
        enabled=body.enabled,
        tenant=tenant_of(body.tenant, request.auth),
        actor=request.auth.name,
        overlap=body.overlap,
        missed=body.missed,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        jitter_seconds=body.jitter_seconds,
    )
    return Status(HTTPStatus.CREATED, _told(made))


@router.get(
    "/preview",
    auth=needs(Scope.READ),
    response=wire.Occurrences,
    operation_id="previewSchedule",
    summary="Preview an expression",
)
def preview(request: ApiRequest, query: InQuery[PreviewQuery]) -> dict[str, Any]:
    """Return when a schedule with this expression would run next."""
    zone(query.time_zone)
    check_cron(query.cron)
    return {"occurrences": occurrences(query.cron, query.time_zone, timezone.now(), query.count)}


@router.get(
    "/collisions",
    auth=needs(Scope.READ),
    response=list[wire.Collision],
    operation_id="listCollisions",
    summary="See when many schedules run at once",
)
def list_collisions(request: ApiRequest, query: InQuery[CollisionQuery]) -> list[dict[str, Any]]:
    """Return the minutes in which most schedules run, the fullest first, twenty at most."""
    rows = visible(Schedule.objects.all(), request.auth)
    found = simulation.collisions(rows, now=timezone.now(), hours=query.hours)
    return [asdict(each) for each in found]


@router.get(
    "/{schedule_id}",
    auth=needs(Scope.READ),
    response=wire.Schedule,
    operation_id="getSchedule",
    summary="Look at a schedule",
)
def get_one(request: ApiRequest, schedule_id: _ID) -> dict[str, Any]:
    """Return a schedule."""
    return _told(_visible(request, schedule_id))


@router.patch(
    "/{schedule_id}",
    auth=needs(Scope.MANAGE),
    response=wire.Schedule,
    operation_id="changeSchedule",
    summary="Change a schedule",
)
def change(request: ApiRequest, schedule_id: _ID, body: ScheduleChange) -> dict[str, Any]:
    """Change what is given of a schedule."""
    schedule = _visible(request, schedule_id)
    changes = _changes(schedule, body)
    return _told(schedules.change_schedule(schedule, actor=request.auth.name, **changes))


@router.post(
    "/{schedule_id}/simulate",
    auth=needs(Scope.READ),
    response=wire.Simulation,
    operation_id="simulateSchedule",
    summary="See what a change would lead to",
)
def simulate(request: ApiRequest, schedule_id: _ID, body: ScheduleChange) -> dict[str, Any]:
    """Return the next fifty runs before and after a change, which is not made."""
    schedule = _visible(request, schedule_id)
    changes = _changes(schedule, body)
    return asdict(simulation.simulate(schedule, changes, now=timezone.now()))


def _changes(schedule: Schedule, body: ScheduleChange) -> dict[str, Any]:
    """Return what is to be changed, by the schedule's columns."""
    given = body.model_dump(exclude_unset=True)
    changes = {
        name: value for name, value in given.items() if value is not None or name in _NULLABLE
    }
    if "params" in changes:
        changes["params"] = _strict(schedule.job_type, changes["params"])
    if "time_zone" in changes:
        changes["timezone"] = changes.pop("time_zone")
    if "priority" in given:
        named = given["priority"]
        changes["priority"] = None if named is None else Priority.parse(named)
    return changes


@router.delete(
    "/{schedule_id}",
    auth=needs(Scope.MANAGE),
    response={204: None},
    operation_id="deleteSchedule",
    summary="Delete a schedule",
)
def delete(request: ApiRequest, schedule_id: _ID) -> Status[None]:
    """Delete a schedule; its jobs stay."""
    schedules.delete_schedule(_visible(request, schedule_id), actor=request.auth.name)
    return Status(HTTPStatus.NO_CONTENT, None)


@router.get(
    "/{schedule_id}/next",
    auth=needs(Scope.READ),
    response=wire.Occurrences,
    operation_id="nextOccurrences",
    summary="Preview the next runs",
)
def following(request: ApiRequest, schedule_id: _ID, query: InQuery[NextQuery]) -> dict[str, Any]:
    """Return when the schedule runs next, were it enabled."""
    schedule = _visible(request, schedule_id)
    return {"occurrences": schedules.next_runs(schedule, timezone.now(), query.count)}


@router.post(
    "/{schedule_id}/trigger",
    auth=needs(Scope.SUBMIT),
    response={202: wire.Accepted},
    operation_id="triggerSchedule",
    summary="Run a schedule now",
)
def trigger(request: ApiRequest, schedule_id: _ID) -> Status[dict[str, Any]]:
    """Run the schedule's job now; its next occurrence stays as it is."""
    schedule = _visible(request, schedule_id)
    count_submissions(request)
    made = scheduling.trigger(schedule, actor=request.auth.name, created_by_id=request.auth.user_id)
    return Status(HTTPStatus.ACCEPTED, made.as_json())


@router.post(
    "/{schedule_id}/enable",
    auth=needs(Scope.MANAGE),
    response=wire.Schedule,
    operation_id="enableSchedule",
    summary="Enable a schedule",
)
def enable(request: ApiRequest, schedule_id: _ID) -> dict[str, Any]:
    """Let the schedule run from now on."""
    return _switched(request, schedule_id, enabled=True)


@router.post(
    "/{schedule_id}/disable",
    auth=needs(Scope.MANAGE),
    response=wire.Schedule,
    operation_id="disableSchedule",
    summary="Disable a schedule",
)
def disable(request: ApiRequest, schedule_id: _ID) -> dict[str, Any]:
    """Let the schedule rest."""
    return _switched(request, schedule_id, enabled=False)


def _switched(request: ApiRequest, schedule_id: int, *, enabled: bool) -> dict[str, Any]:
    schedule = _visible(request, schedule_id)
    if schedule.enabled != enabled:
        schedules.change_schedule(schedule, actor=request.auth.name, enabled=enabled)
    return _told(schedule)


def _visible(request: ApiRequest, schedule_id: int) -> Schedule:
    found = visible(Schedule.objects.filter(pk=schedule_id), request.auth).first()
    if found is None:
        raise ScheduleNotFound(f"there is no schedule {schedule_id}")
    return found


def _strict(job_type: str, params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters, which the type's model takes without guessing."""
    registry.get(job_type).parse_json(params)
    return params


def _told(schedule: Schedule) -> dict[str, Any]:
    priority = schedule.priority
    return {
        "id": schedule.pk,
        "name": schedule.name,
        "type": schedule.job_type,
        "tenant": schedule.tenant or None,
        "params": shown(schedule.params),
        "cron": schedule.cron,
        "time_zone": schedule.timezone,
        "priority": None if priority is None else Priority(priority).label,
        "enabled": schedule.enabled,
        "overlap": schedule.overlap,
        "missed": schedule.missed,
        "starts_at": schedule.starts_at,
        "ends_at": schedule.ends_at,
        "jitter_seconds": schedule.jitter_seconds,
        "next_run_at": schedule.next_run_at,
        "last_run_at": schedule.last_run_at,
        "last_error": schedule.last_error or None,
    }
