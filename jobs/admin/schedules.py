"""Schedules: the list, and the form with what it leads to."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse

from jobs.admin import schedule_page
from jobs.admin.parameters import asking_for
from jobs.admin.schedule_columns import ScheduleColumns
from jobs.admin.schedule_form import ScheduleForm
from jobs.admin.tenancy import tenant_of
from jobs.admin.triggering import TriggeredAdmin
from jobs.admin.type_choice import chosen_type, told_of_type, type_choice_page, wants_json
from jobs.domain.errors import JobsError
from jobs.domain.registry import registry
from jobs.domain.sensitive import shown
from jobs.models import Schedule
from jobs.services import schedules

if TYPE_CHECKING:
    _Form = ModelForm[Schedule]


@admin.register(Schedule)
class ScheduleAdmin(ScheduleColumns, TriggeredAdmin):
    """Schedules are written through `jobs.services.schedules`, so that they act at once."""

    list_display = ("name_and_type", "enabled_badge", "when", "next_run", "last_run")
    list_filter = ("enabled", "job_type")
    search_fields = ("name", "job_type")
    ordering = ("name",)
    actions = ("run_now", "enable", "disable")

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Have a job type chosen; show its form, with what the schedule leads to."""
        schedule = self.get_object(request, object_id) if object_id else None
        if object_id and schedule is None:
            return super().changeform_view(request, object_id, form_url, extra_context)
        name = chosen_type(request, schedule.job_type if schedule else "")
        may_edit = self._may_edit(request, schedule)
        if may_edit and name not in registry and not (schedule and name == schedule.job_type):
            title = "Change the job type" if schedule else "Add schedule"
            return type_choice_page(self, request, title=title, unknown=name)
        told = schedule_page.context(schedule, request, self.admin_site) if schedule else {}
        if may_edit:
            told |= told_of_type(request, name)
        told["can_trigger"] = self.has_trigger_permission(request)
        # The form comes back to the address that names its job type.
        form_url = form_url or f"?{request.GET.urlencode()}"
        return super().changeform_view(request, object_id, form_url, told | (extra_context or {}))

    def get_form(
        self, request: HttpRequest, obj: Schedule | None = None, change: bool = False, **kwargs: Any
    ) -> "type[_Form]":
        """Return the form for the job type that the address names, or the schedule's own."""
        may_edit = self._may_edit(request, obj)
        form = self._form(request, obj) if may_edit else ScheduleForm  # then it has no fields
        return super().get_form(request, obj, change, form=form, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Schedule | None = None) -> Any:
        """Return the parts of the form."""
        if self._may_edit(request, obj):
            what = self._form(request, obj).fieldset()
        else:
            what = ("What", {"fields": ("job_type", "params")})
        return (
            (None, {"fields": ("name", "enabled")}),
            ("When", {"fields": ("cron", "timezone", "starts_at", "ends_at", "jitter_seconds")}),
            what,
            ("Options", {"fields": ("priority", "overlap", "missed")}),
        )

    def _form(self, request: HttpRequest, schedule: Schedule | None) -> type[ScheduleForm]:
        own = schedule.job_type if schedule else ""
        name = chosen_type(request, own)
        stored = shown(schedule.params) if schedule and name == own else None
        return asking_for(name, ScheduleForm, stored=stored, as_json=wants_json(request))

    def _may_edit(self, request: HttpRequest, schedule: Schedule | None) -> bool:
        if schedule is None:
            return self.has_add_permission(request)
        return self.has_change_permission(request, schedule)

    def save_model(self, request: HttpRequest, obj: Schedule, form: "_Form", change: bool) -> None:
        """Store the schedule and when it runs next, and say who did."""
        if not change:
            obj.tenant = tenant_of(request)
        stored = Schedule.objects.filter(pk=obj.pk).first() if change else None
        before = {"before": schedules.told(stored)} if stored else {}
        schedules.save_schedule(obj)
        action = "schedule.change" if change else "schedule.create"
        changed = list(form.changed_data)
        self._record(request, action, obj, changed=changed, **before, after=schedules.told(obj))

    def delete_model(self, request: HttpRequest, obj: Schedule) -> None:
        """Delete the schedule, and say who did; its jobs stay."""
        schedules.delete_schedule(obj, actor=request.user.get_username())

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

    def _switch(self, request: HttpRequest, chosen: QuerySet[Schedule], *, enabled: bool) -> None:
        done, word = 0, "enabled" if enabled else "disabled"
        for schedule in chosen.exclude(enabled=enabled):
            schedule.enabled = enabled
            try:
                with transaction.atomic():
                    schedules.save_schedule(schedule)
                    self._record(
                        request,
                        "schedule.change",
                        schedule,
                        before={"enabled": not enabled},
                        after={"enabled": enabled},
                    )
            except JobsError as error:
                text = f"Schedule {schedule.name} could not be {word}: {error}"
                self.message_user(request, text, messages.ERROR)
            else:
                done += 1
        text = f"{done} schedule{'' if done == 1 else 's'} {word}."
        self.message_user(request, text, messages.SUCCESS if done else messages.INFO)

    def _record(self, request: HttpRequest, action: str, target: Schedule, **details: Any) -> None:
        schedules.note(target, action, actor=request.user.get_username(), **details)
