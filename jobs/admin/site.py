"""The admin site as a whole: its name, the order of its apps, and the overview on its index."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest

from jobs.admin.display import GLYPHS
from jobs.admin.links import jobs_list, may_view
from jobs.admin.tenancy import own, tenant_of
from jobs.domain.states import State
from jobs.models import (
    ApiKey,
    AuditEntry,
    Batch,
    Breaker,
    HookSource,
    Job,
    Queue,
    Schedule,
    Tenant,
    TenantMember,
    Worker,
    WorkerProfile,
)
from jobs.selectors.capacity import latest_advice
from jobs.selectors.counts import by_state
from jobs.selectors.workers import worker_counts

_CARDS: Final = {
    State.QUEUED: "ready",
    State.RUNNING: "running",
    State.SCHEDULED: "scheduled",
    State.RETRYING: "retrying",
    State.BLOCKED: "blocked",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
    State.COMPLETED: "completed",
}
_MODELS: Final = (
    Job, Batch, Queue, Schedule, Worker, WorkerProfile, Breaker, ApiKey, HookSource, Tenant,
    TenantMember, AuditEntry,
)  # fmt: skip
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Card:
    """A number with a link to what it counts."""

    label: str
    count: int
    look: str
    glyph: str
    address: str


def name_the_site() -> None:
    """Give the default site its names."""
    admin.site.site_header = "Jobsite"
    admin.site.site_title = "Jobsite"
    admin.site.index_title = "Overview"
    admin.site.site_url = None  # the site is the admin: its root leads back here


def in_order(app_list: Iterable[Any]) -> list[Any]:
    """Return the apps in the order of INSTALLED_APPS, and our models as they are wanted."""
    places = {label: place for place, label in enumerate(apps.app_configs)}
    models = {model: place for place, model in enumerate(_MODELS)}
    return [
        {**app, "models": sorted(app["models"], key=lambda each: models.get(each["model"], -1))}
        for app in sorted(app_list, key=lambda each: places.get(each["app_label"], len(places)))
    ]


def overview(request: HttpRequest) -> dict[str, Any]:
    """Return what the index shows of the engine to this user: a handful of indexed queries."""
    site = admin.site
    told: dict[str, Any] = {}
    if may_view(request, site, Job):
        tenant = tenant_of(request)
        counts = by_state(tenant=tenant)
        told["cards"] = [
            Card(label, counts[state], state, GLYPHS[state], jobs_list(site, f"state={state}"))
            for state, label in _CARDS.items()
        ]
        failed = own(request, Job.objects.filter(state=State.FAILED), by="tenant")
        failed = failed.order_by("-finished_at")
        told["failed"] = list(failed.defer("params", "result", "backoff")[:_SHOWN])
        told["waiting"] = counts[State.QUEUED]
    if may_view(request, site, Worker) and not tenant_of(request):
        told["workers"] = worker_counts()
        told["advice"] = latest_advice()
    if may_view(request, site, Schedule):
        planned = own(request, Schedule.objects.filter(next_run_at__isnull=False), by="tenant")
        planned = planned.order_by("next_run_at")
        told["schedules"] = list(planned[:_SHOWN])
    if may_view(request, site, AuditEntry):
        told["acts"] = list(
            own(request, AuditEntry.objects.all(), by="tenant").order_by("-id")[:_SHOWN]
        )
    return told
