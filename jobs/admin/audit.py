"""The audit: who did what, to read."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.admin.display import full_moment, in_words, moment, pretty_json
from jobs.admin.filters import PeriodFilter
from jobs.admin.links import short_id
from jobs.admin.read_only import ReadOnlyAdmin
from jobs.models import AuditEntry

_KINDS = {"workerprofile": "worker profile", "apikey": "key", "hooksource": "webhooks of"}
#: What stands elsewhere in the row, or is told as changes.
_ASIDE = frozenset({"name", "before", "after"})
#: Queues are steered in their list, and have no page each.
_WITHOUT_A_PAGE = frozenset({"queue"})


class AuditPeriodFilter(PeriodFilter):
    """The time since an act."""

    column = "at"


class TargetFilter(admin.SimpleListFilter):
    """What was acted on: the engine's own, and what other apps' admins say they record."""

    title = "target"
    parameter_name = "target"
    _targets: ClassVar = {
        "job": "jobs",
        "schedule": "schedules",
        "queue": "queues",
        "workerprofile": "worker profiles",
        "apikey": "API keys",
        "tenant": "tenants",
        "hooksource": "webhook sources",
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the kinds of targets."""
        others = {
            str(model._meta.model_name): str(model._meta.verbose_name_plural)
            for model, its_admin in model_admin.admin_site._registry.items()
            if getattr(its_admin, "audited", False)
        }
        return list({**self._targets, **others}.items())

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry]
    ) -> QuerySet[AuditEntry]:
        """Narrow the list."""
        return queryset.filter(target_type=self.value()) if self.value() else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Entries are never added, changed or deleted here."""

    tenant_column = "tenant"
    list_display = ("when", "actor", "action", "target", "tenant", "address", "told")
    list_filter = (TargetFilter, AuditPeriodFilter)
    search_fields = ("actor", "action", "=target_id")
    search_help_text = "Actor, action, or the whole id of the target"
    ordering = ("-id",)
    sortable_by = ("when",)
    fields = (
        "when_exactly", "actor", "action", "target", "tenant", "address", "request_id",
        "told_in_full", "digest",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="when", ordering="id")
    def when(self, entry: AuditEntry) -> SafeString | str:
        """Return when it was done."""
        return moment(entry.at)

    @admin.display(description="when")
    def when_exactly(self, entry: AuditEntry) -> SafeString | str:
        """Return when it was done, to the second."""
        return full_moment(entry.at)

    @admin.display(description="target")
    def target(self, entry: AuditEntry) -> SafeString | str:
        """Return a link to what was acted on, by its name at that time; it may be gone."""
        kind, target_id = entry.target_type, entry.target_id
        found = (each._meta for each in self.admin_site._registry if each._meta.model_name == kind)
        model = next(found, None)
        if model is None or kind in _WITHOUT_A_PAGE or target_id == "many":
            return f"{kind} {target_id}"
        shown = short_id(target_id) if kind == "job" else _name(entry)
        page = f"{self.admin_site.name}:{model.app_label}_{kind}_change"
        label = _KINDS.get(kind, model.verbose_name)
        return format_html('<a href="{}">{} {}</a>', reverse(page, args=[target_id]), label, shown)

    @admin.display(description="details")
    def told(self, entry: AuditEntry) -> str:
        """Return the details in one line, without the name, which stands in the target."""
        rest = {k: v for k, v in entry.details.items() if k not in _ASIDE}
        told = [f"{in_words(name)}: {_listed(value)}" for name, value in rest.items()]
        return "; ".join([*_changes(entry.details), *told])

    @admin.display(description="details")
    def told_in_full(self, entry: AuditEntry) -> SafeString:
        """Return the details as JSON."""
        return format_html('<pre class="job-code">{}</pre>', pretty_json(entry.details))


def _name(entry: AuditEntry) -> str:
    """Return what the target was called then."""
    told = entry.details.get("after") or entry.details.get("before")
    known = told if isinstance(told, dict) else {}
    return str(entry.details.get("name") or known.get("prefix") or entry.target_id)


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _changes(details: dict[str, Any]) -> list[str]:
    """Return what was changed and to what, as `cron: 0 3 * * * → @hourly`."""
    before, after = details.get("before"), details.get("after")
    if not isinstance(before, dict) and not isinstance(after, dict):
        told = [_listed(each) for each in (before, after) if each is not None]
        return [" → ".join(told)] if told else []
    old = before if isinstance(before, dict) else {}
    if not isinstance(after, dict):
        return [
            f"{name}: {_listed(value)}" for name, value in old.items() if value and name != "name"
        ]
    return [
        f"{in_words(name)}: {_listed(old[name])} → {_listed(value)}"
        if name in old
        else f"{in_words(name)}: {_listed(value)}"
        for name, value in after.items()
        if value != old.get(name) and (name in old or (value and name != "name"))
    ]
