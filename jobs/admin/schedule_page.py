"""What the page of a schedule shows beside its form."""

from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils import timezone

from jobs.admin.cron_text import in_english
from jobs.admin.display import relative, to_the_minute
from jobs.admin.links import jobs_list, may_view
from jobs.domain.cron import zone
from jobs.domain.errors import JobsError
from jobs.models import Job, Schedule
from jobs.services.schedules import next_runs

_RUNS: Final = 5
_RECENT: Final = 10


@dataclass(frozen=True, slots=True)
class Run:
    """One of the next runs, as people read it."""

    relative: str
    local: str
    utc: str


def context(schedule: Schedule, request: HttpRequest, site: AdminSite) -> dict[str, Any]:
    """Return what the template of the page needs."""
    shows_jobs = may_view(request, site, Job)
    return {
        "schedule": schedule,
        "english": in_english(schedule.cron),
        "next_runs": _next_runs(schedule),
        "shows_jobs": shows_jobs,
        "recent": list(_recent(schedule)) if shows_jobs else [],
        "jobs_address": jobs_list(site, f"schedule={schedule.pk}"),
    }


def _recent(schedule: Schedule) -> Any:
    jobs = schedule.jobs.order_by("-id").defer("params", "result", "backoff")
    return jobs[:_RECENT]


def _next_runs(schedule: Schedule) -> list[Run]:
    """Return the next few runs, from the one that is planned; none if it cannot be read."""
    if not schedule.enabled:
        return []
    now = timezone.now()
    try:
        place = zone(schedule.timezone)
        moments = next_runs(schedule, now, _RUNS)
    except JobsError:
        return []
    return [
        Run(
            relative=relative(at, now=now),
            local=to_the_minute(at, place),
            utc=f"{at:%a %d %b, %H:%M}",
        )
        for at in moments
    ]
