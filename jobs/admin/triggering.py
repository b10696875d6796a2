"""Running schedules now, one or a selection, by those who may."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from jobs.admin.links import link_to_job, page_of
from jobs.admin.read_only import ListAdmin
from jobs.domain.errors import JobsError
from jobs.models import Schedule
from jobs.services import scheduling


class TriggeredAdmin(ListAdmin):
    """The action of the list, and what the button of a schedule's page posts to."""

    tenant_column = "tenant"

    def has_trigger_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may run schedules now."""
        allowed = request.user.has_perm("jobs.trigger_schedule")
        return allowed and self.has_view_permission(request)

    @admin.action(description="Run selected schedules now", permissions=["trigger"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        """Make a job of each of the schedules."""
        for schedule in queryset:
            self._trigger(request, schedule)

    def get_urls(self) -> list[URLPattern]:
        """Add what the button posts to."""
        view = self.admin_site.admin_view(self.run_now_view)
        own = path("<int:schedule_id>/run-now/", view, name="jobs_schedule_run_now")
        return [own, *super().get_urls()]

    @method_decorator(require_POST)
    def run_now_view(self, request: HttpRequest, schedule_id: int) -> HttpResponse:
        """Make a job of the schedule."""
        if not self.has_trigger_permission(request):
            raise PermissionDenied
        schedule = get_object_or_404(self.get_queryset(request), pk=schedule_id)
        self._trigger(request, schedule)
        return HttpResponseRedirect(page_of(self.admin_site, schedule))

    def _trigger(self, request: HttpRequest, schedule: Schedule) -> None:
        try:
            submission = scheduling.trigger(
                schedule, actor=request.user.get_username(), created_by_id=request.user.pk
            )
        except JobsError as error:
            text = f"Schedule {schedule.name} could not be run: {error}"
            self.message_user(request, text, messages.ERROR)
        else:
            link = link_to_job(self.admin_site, submission.job_id)
            text = format_html("Schedule {} runs now as job {}.", schedule.name, link)
            self.message_user(request, text, messages.SUCCESS)
