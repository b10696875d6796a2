"""Retrying and cancelling jobs, one or a selection, by those who may."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from jobs.admin import bulk
from jobs.admin.job_page import may
from jobs.admin.read_only import ReadOnlyAdmin
from jobs.domain.errors import InvalidTransition, JobNotFound
from jobs.domain.states import State
from jobs.models import Job
from jobs.services import steering


class SteeredAdmin(ReadOnlyAdmin):
    """The actions of the list, and what the buttons of a job's page post to."""

    actions = ("retry_selected", "cancel_selected")
    tenant_column = "tenant"

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may retry jobs."""
        return may(request, "retry") and self.has_view_permission(request)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may cancel jobs."""
        return may(request, "cancel") and self.has_view_permission(request)

    @admin.action(description="Retry selected jobs", permissions=["retry"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Queue the selected jobs again."""
        self._steer(request, queryset, bulk.retry, done="queued again", refused="retried")

    @admin.action(description="Cancel selected jobs", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Cancel the selected jobs."""
        self._steer(request, queryset, bulk.cancel, done="cancelled", refused="cancelled")

    def _steer(
        self,
        request: HttpRequest,
        jobs: QuerySet[Job],
        act: Callable[..., bulk.Tally],
        *,
        done: str,
        refused: str,
    ) -> None:
        ids = list(jobs.order_by("id").values_list("pk", flat=True)[: bulk.AT_ONCE + 1])
        tally = act(ids[: bulk.AT_ONCE], actor=request.user.get_username())
        if tally.done:
            self.message_user(request, f"{_jobs(tally.done)} {done}.", messages.SUCCESS)
        if tally.asked:
            text = f"{_jobs(tally.asked)} asked to stop: a running job does so in a few seconds."
            self.message_user(request, text, messages.SUCCESS)
        if tally.refused:
            text = f"{_jobs(len(tally.refused))} could not be {refused}: {tally.reasons}."
            self.message_user(request, text, messages.WARNING)
        if len(ids) > bulk.AT_ONCE:
            text = f"Only the {bulk.AT_ONCE} oldest were looked at; repeat the action for the rest."
            self.message_user(request, text, messages.WARNING)

    def get_urls(self) -> list[URLPattern]:
        """Add what the buttons of a job's page post to."""
        views = {"retry": self.retry_view, "cancel": self.cancel_view}
        own = [
            path(
                f"<uuid:job_id>/{name}/", self.admin_site.admin_view(view), name=f"jobs_job_{name}"
            )
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    @method_decorator(require_POST)
    def retry_view(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        """Queue a job again."""
        if not self.has_retry_permission(request):
            raise PermissionDenied
        return self._act(request, job_id, steering.retry, done="The job is queued again.")

    @method_decorator(require_POST)
    def cancel_view(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        """Cancel a job."""
        if not self.has_cancel_permission(request):
            raise PermissionDenied
        return self._act(request, job_id, steering.cancel, done="The job is cancelled.")

    def _act(
        self, request: HttpRequest, job_id: UUID, act: Callable[..., Job], *, done: str
    ) -> HttpResponse:
        if not self.get_queryset(request).filter(pk=job_id).exists():
            raise Http404(f"there is no job {job_id}")
        try:
            job = act(job_id, actor=request.user.get_username())
        except JobNotFound as error:
            raise Http404(str(error)) from None
        except InvalidTransition as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            asked = act is steering.cancel and job.state == State.RUNNING
            text = "The job was asked to stop; it ends in a moment." if asked else done
            self.message_user(request, text, messages.SUCCESS)
        address = reverse(f"{self.admin_site.name}:jobs_job_change", args=[job_id])
        return HttpResponseRedirect(address)


def _jobs(count: int) -> str:
    return f"{count} job{'' if count == 1 else 's'}"
