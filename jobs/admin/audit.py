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

_KINDS = {"workerprofile": "worker profile"}


class AuditPeriodFilter(PeriodFilter):
    """The time since an act."""

    column = "at"


class TargetFilter(admin.SimpleListFilter):
    """What was acted on."""

    title = "target"
    parameter_name = "target"
    _targets: ClassVar = {
        "job": "jobs",
        "schedule": "schedules",
        "workerprofile": "worker profiles",
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the kinds of targets."""
        return list(self._targets.items())

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
        if kind not in ("job", "schedule", "workerprofile"):
            return f"{kind} {target_id}"
        shown = short_id(target_id) if kind == "job" else entry.details.get("name", target_id)
        address = reverse(f"{self.admin_site.name}:jobs_{kind}_change", args=[target_id])
        return format_html('<a href="{}">{} {}</a>', address, _KINDS.get(kind, kind), shown)

    @admin.display(description="details")
    def told(self, entry: AuditEntry) -> str:
        """Return the details in one line, without the name, which stands in the target."""
        details = ((name, value) for name, value in entry.details.items() if name != "name")
        return "; ".join(f"{in_words(name)}: {_listed(value)}" for name, value in details)

    @admin.display(description="details")
    def told_in_full(self, entry: AuditEntry) -> SafeString:
        """Return the details as JSON."""
        return format_html('<pre class="job-code">{}</pre>', pretty_json(entry.details))


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
