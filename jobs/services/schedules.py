"""Keeping schedules: what runs when."""

from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from django.db import transaction

from jobs.domain.cron import check_cron, next_occurrence, zone
from jobs.domain.errors import InvalidOption, InvalidParameters, ScheduleError, ScheduleNotFound
from jobs.domain.priority import Priority
from jobs.domain.registry import registry
from jobs.domain.schedules import LONGEST_JITTER, Missed, Overlap
from jobs.domain.sensitive import SEALED, names_seal, shown
from jobs.models import Schedule
from jobs.selectors.clock import database_now
from jobs.selectors.tenants import is_known
from jobs.services.audit import record
from jobs.services.building import stored_params
from jobs.services.encryption import open_params

MAX_NAME_LENGTH = 100


class Policies(TypedDict, total=False):
    """How a schedule behaves, beyond when it runs."""

    #: What becomes of an occurrence while a job of the schedule has not ended.
    overlap: Overlap | str
    #: What becomes of occurrences that came while nothing kept time.
    missed: Missed | str
    #: No occurrence before this one counts, and none after the other.
    starts_at: datetime | None
    ends_at: datetime | None
    #: Each job is put off by up to so many seconds.
    jitter_seconds: int


def check_schedule(schedule: Schedule) -> None:
    """Do nothing if the schedule can be kept; fill its parameters' defaults in.

    Raises:
        UnknownJobType, InvalidParameters, InvalidCron, UnknownTimeZone, InvalidOption: it cannot.
    """
    job_type = registry.get(schedule.job_type)
    plain = schedule.params or {}
    if job_type.sensitive:
        plain = open_params(job_type, plain)  # what is sealed stays what it was
    schedule.params = stored_params(job_type, plain)
    zone(schedule.timezone)
    check_cron(schedule.cron)
    _check_policies(schedule)


def save_schedule(schedule: Schedule, *, now: datetime | None = None) -> Schedule:
    """Check and store the schedule; it acts from now on, without a restart of anything.

    A disabled one is stored as it is, so that one whose job type is gone can be turned off.

    Raises:
        UnknownJobType, InvalidParameters, InvalidCron, UnknownTimeZone, InvalidOption: nothing was
            stored.
    """
    if schedule.enabled:
        check_schedule(schedule)
    now = now or database_now()
    schedule.next_run_at = next_run(schedule, now) if schedule.enabled else None
    schedule.last_error = ""
    schedule.save()
    return schedule


def next_run(schedule: Schedule, after: datetime) -> datetime | None:
    """Return the schedule's first occurrence after a moment; None if it has ended by then."""
    if schedule.starts_at is not None:
        after = max(after, schedule.starts_at - timedelta(microseconds=1))
    found = next_occurrence(schedule.cron, schedule.timezone, after)
    return None if schedule.ends_at is not None and found > schedule.ends_at else found


def next_runs(schedule: Schedule, after: datetime, count: int) -> list[datetime]:
    """Return the schedule's next so many occurrences, or those that are left before its end."""
    found: list[datetime] = []
    while len(found) < count and (following := next_run(schedule, after)) is not None:
        found.append(after := following)
    return found


def _check_policies(schedule: Schedule) -> None:
    for name, known in (("overlap", Overlap), ("missed", Missed)):
        value = getattr(schedule, name)
        if value not in [*known]:
            raise InvalidOption(f"{name} must be {', '.join(known)}; not {str(value)[:40]!r}")
    longest = int(LONGEST_JITTER.total_seconds())
    if not 0 <= schedule.jitter_seconds <= longest:
        raise InvalidOption(f"jitter_seconds must be 0 to {longest}, not {schedule.jitter_seconds}")
    begin, end = schedule.starts_at, schedule.ends_at
    if begin is not None and end is not None and begin >= end:
        raise InvalidOption(
            f"starts_at {begin.isoformat()} is not before ends_at {end.isoformat()}: it would "
            "never run"
        )


def create_schedule(
    name: str,
    job_type: str,
    *,
    cron: str,
    params: dict[str, Any] | None = None,
    time_zone: str = "UTC",
    priority: Priority | str | None = None,
    enabled: bool = True,
    tenant: str = "",
    actor: str = "code",
    **policies: Unpack[Policies],
) -> Schedule:
    """Create a schedule.

    Args:
        name: unique among its tenant's.
        job_type: the name of a registered type.
        cron: five fields, six with the second first, or an alias.
        params: of each job.
        time_zone: an IANA name, by whose clock the expression is read.
        priority: None: the type's own.
        enabled: whether it runs.
        tenant: whose it is; empty: nobody's.
        actor: who makes it, for the audit log.
        **policies: see `Policies`.

    Raises:
        ScheduleError: the name is taken; or see `save_schedule`.
        InvalidOption: there is no such priority, tenant or policy.
    """
    schedule = Schedule(
        name=name,
        job_type=job_type,
        params=params or {},
        cron=cron,
        timezone=time_zone,
        priority=None if priority is None else Priority.parse(priority),
        enabled=enabled,
        tenant=tenant,
        **policies,
    )
    _refuse_sealed(schedule)
    if tenant and not is_known(tenant):
        raise InvalidOption(f"there is no tenant {tenant[:60]!r}; see `manage.py jobs tenants`")
    check_name(schedule)
    with transaction.atomic():
        save_schedule(schedule)
        note(schedule, "schedule.create", actor=actor, after=told(schedule))
    return schedule


def change_schedule(schedule: Schedule, *, actor: str, **changes: Any) -> Schedule:
    """Change a schedule's fields, and store when it runs next.

    Args:
        schedule: as it is stored.
        actor: who does it, for the audit log.
        **changes: the new values of its columns.

    Raises:
        ScheduleError: the name is taken; or see `save_schedule`.
    """
    before = told(schedule)
    for name, value in changes.items():
        setattr(schedule, name, value)
    if "params" in changes:
        _refuse_sealed(schedule)
    check_name(schedule)
    with transaction.atomic():
        save_schedule(schedule)
        note(schedule, "schedule.change", actor=actor, before=before, after=told(schedule))
    return schedule


def delete_schedule(schedule: Schedule, *, actor: str) -> None:
    """Delete a schedule; its jobs stay."""
    with transaction.atomic():
        note(schedule, "schedule.delete", actor=actor, before=told(schedule))
        schedule.delete()


def get_schedule(name: str, *, tenant: str | None = None) -> Schedule:
    """Return the schedule of that name.

    Args:
        name: its name.
        tenant: whose it is; None: anyone's.

    Raises:
        ScheduleNotFound: there is none; the message lists some that exist.
        ScheduleError: several tenants have one.
    """
    schedules = Schedule.objects.all() if tenant is None else Schedule.objects.filter(tenant=tenant)
    found = list(schedules.filter(name=name)[:2])
    if len(found) > 1:
        raise ScheduleError(f"several tenants have a schedule {name!r}: say whose it is")
    if not found:
        some = ", ".join(schedules.order_by("name").values_list("name", flat=True)[:10])
        raise ScheduleNotFound(f"there is no schedule {name!r}; there are: {some or 'none'}")
    return found[0]


def _refuse_sealed(schedule: Schedule) -> None:
    """Do nothing unless parameters from outside would pass for sealed ones."""
    if names_seal(schedule.params):
        raise InvalidParameters(schedule.job_type, [("", f"no name may be {SEALED!r}")])


def note(schedule: Schedule, action: str, *, actor: str, **details: Any) -> None:
    """Write down what was done to a schedule."""
    record(
        actor=actor,
        action=action,
        target_type="schedule",
        target_id=schedule.pk,
        tenant=schedule.tenant,
        name=schedule.name,
        **details,
    )


def told(schedule: Schedule) -> dict[str, Any]:
    """Return what the audit log keeps of a schedule before and after a change."""
    names = (
        "name", "job_type", "cron", "timezone", "priority", "enabled", "overlap", "missed",
        "starts_at", "ends_at", "jitter_seconds",
    )  # fmt: skip
    told = {name: getattr(schedule, name) for name in names}
    return {**told, "params": shown(schedule.params)}


def check_name(schedule: Schedule) -> None:
    """Do nothing if the schedule may have its name.

    Raises:
        ScheduleError: it cannot be used, or another schedule of its tenant's has it.
    """
    name = schedule.name
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_LENGTH or not name.isprintable():
        raise ScheduleError(
            f"a schedule's name must be 1 to {MAX_NAME_LENGTH} printable characters, not "
            f"{str(name)[:40]!r}"
        )
    others = Schedule.objects.filter(name=name, tenant=schedule.tenant).exclude(pk=schedule.pk)
    if others.exists():
        raise ScheduleError(f"a schedule named {name!r} exists already")
