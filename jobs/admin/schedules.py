"""Schedules: the list, and the form with what it leads to."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse

from jobs.admin import schedule_page
from jobs.admin.parameters import skeleton
from jobs.admin.schedule_columns import ScheduleColumns
from jobs.admin.schedule_form import ScheduleForm
from jobs.admin.triggering import TriggeredAdmin
from jobs.domain.errors import JobsError
from jobs.models import Schedule
from jobs.services import scheduling
from jobs.services.audit import record

if TYPE_CHECKING:
    _Form = ModelForm[Schedule]


@admin.register(Schedule)
class ScheduleAdmin(ScheduleColumns, TriggeredAdmin):
    """Schedules are written through `jobs.services.scheduling`, so that they act at once."""

    form = ScheduleForm
    list_display = ("name", "type_and_problem", "enabled_badge", "when", "next_run", "last_run")
    list_filter = ("enabled", "job_type")
    search_fields = ("name", "job_type")
    ordering = ("name",)
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    fieldsets = (
        (None, {"fields": ("name", "enabled")}),
        ("When", {"fields": ("cron", "timezone")}),
        ("What", {"fields": ("job_type", "params", "priority")}),
    )
    actions = ("run_now", "enable", "disable")

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the form, with what the schedule leads to and the help on job types."""
        schedule = self.get_object(request, object_id) if object_id else None
        told = schedule_page.context(schedule, request, self.admin_site)
        told["can_trigger"] = self.has_trigger_permission(request)
        told |= extra_context or {}
        return super().changeform_view(request, object_id, form_url, told)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list."""
        return super().changelist_view(request, {"title": "Schedules", **(extra_context or {})})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return what the link of a job type fills in."""
        initial: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        return {"params": skeleton(str(initial.get("job_type", ""))), **initial}

    def save_model(self, request: HttpRequest, obj: Schedule, form: "_Form", change: bool) -> None:
        """Store the schedule and when it runs next, and say who did."""
        scheduling.save_schedule(obj)
        action = "schedule.change" if change else "schedule.create"
        self._record(request, action, obj, changed=list(form.changed_data))

    def delete_model(self, request: HttpRequest, obj: Schedule) -> None:
        """Delete the schedule, and say who did; its jobs stay."""
        self._record(request, "schedule.delete", obj)
        obj.delete()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        """Delete the schedules, and say who did; their jobs stay."""
        with transaction.atomic():
            for schedule in queryset:
                self.delete_model(request, schedule)

    @admin.action(description="Enable selected schedules", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        """Let the schedules run from now on."""
        self._switch(request, queryset, enabled=True)

    @admin.action(description="Disable selected schedules", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        """Let the schedules rest."""
        self._switch(request, queryset, enabled=False)

    def _switch(
        self, request: HttpRequest, schedules: QuerySet[Schedule], *, enabled: bool
    ) -> None:
        done, word = 0, "enabled" if enabled else "disabled"
        for schedule in schedules.exclude(enabled=enabled):
            schedule.enabled = enabled
            try:
                with transaction.atomic():
                    scheduling.save_schedule(schedule)
                    self._record(request, "schedule.change", schedule, enabled=enabled)
            except JobsError as error:
                text = f"Schedule {schedule.name} could not be {word}: {error}"
                self.message_user(request, text, messages.ERROR)
            else:
                done += 1
        text = f"{done} schedule{'' if done == 1 else 's'} {word}."
        self.message_user(request, text, messages.SUCCESS if done else messages.INFO)

    def _record(self, request: HttpRequest, action: str, target: Schedule, **details: Any) -> None:
        record(
            actor=request.user.get_username(),
            action=action,
            target_type="schedule",
            target_id=target.pk,
            name=target.name,
            **details,
        )
