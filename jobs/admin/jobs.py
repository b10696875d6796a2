"""Jobs: the list, each job's page, submitting and deleting."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from jobs.admin import job_page, search
from jobs.admin.filters import (
    JobPeriodFilter,
    ParentFilter,
    QueueFilter,
    ScheduleFilter,
    StateFilter,
    TypeFilter,
)
from jobs.admin.job_columns import JobColumns
from jobs.admin.steering import SteeredAdmin
from jobs.admin.submission import submission_page
from jobs.models import Job
from jobs.services import retention

#: Columns that the list does not show and that can be large.
_LARGE = ("params", "result", "backoff")


@admin.register(Job)
class JobAdmin(JobColumns, SteeredAdmin):
    """Jobs are watched and steered here; only services write them."""

    list_display = (
        "short_id", "type_and_error", "state_badge", "priority_and_queue", "attempts", "created",
        "ran",
    )  # fmt: skip
    list_display_links = ("short_id",)
    list_filter = (
        StateFilter, JobPeriodFilter, TypeFilter, "priority", QueueFilter, "trigger",
        ScheduleFilter, ParentFilter,
    )  # fmt: skip
    search_fields = ("idempotency_key", "job_type", "error_type", "error")
    search_help_text = "Id (the whole, its beginning or end), idempotency key, type or error"
    ordering = ("-id",)
    sortable_by = ("type_and_error", "state_badge", "created")
    list_select_related = False
    fields = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """Return the jobs: for the list without what is large, for a page with what it names."""
        jobs: QuerySet[Job] = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and match.url_name == "jobs_job_changelist":
            return jobs.defer(*_LARGE)
        return jobs.select_related("schedule", "created_by", "worker", "parent")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        """Find jobs by id first, then by the texts of `search_fields`."""
        if (found := search.by_whole_id(queryset, search_term)) is not None:
            return found, False
        matches, duplicates = super().get_search_results(request, queryset, search_term)
        if (by_id := search.id_matches(search_term)) is not None:
            matches = matches | queryset.filter(by_id)
        return matches, duplicates

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a job."""
        job = self.get_object(request, object_id)
        told: dict[str, Any] = {}
        if job is not None and self.has_view_permission(request, job):
            told = {"title": job.job_type, **job_page.context(job, request, self.admin_site)}
        return super().change_view(request, object_id, form_url, {**told, **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        """To add a job is to submit it."""
        return job_page.may(request, "submit")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Submit a job."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return submission_page(self, request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a job that nothing more happens to can be deleted."""
        return job_page.may(request, "delete") and (obj is None or obj.is_final)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """Refuse jobs that are not final; for the others, leave their log lines out of the list."""
        unfinished = [f"{job} is {job.state}: cancel it first" for job in objs if not job.is_final]
        if unfinished:
            return [], {}, set(), unfinished
        _, counts, needed, protected = super().get_deleted_objects(objs, request)
        return [str(job) for job in objs], counts, needed, protected

    def delete_model(self, request: HttpRequest, obj: Job) -> None:
        """Delete a job, unless someone retried it meanwhile."""
        self.delete_queryset(request, Job.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Delete those of the jobs that are final, and say who did."""
        retention.delete_final(queryset, actor=request.user.get_username())
