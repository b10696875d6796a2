"""Queues: what waits in them, for how long, and pausing them."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Case, Count, IntegerField, Min, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.admin.display import badge, moment
from jobs.admin.links import jobs_list
from jobs.admin.read_only import ReadOnlyAdmin
from jobs.domain.registry import registry
from jobs.domain.states import State
from jobs.models import Job, Queue
from jobs.services import queues


def _of_queue(state: State) -> Any:
    return Job.objects.filter(queue=OuterRef("name"), state=state).order_by().values("queue")


def _count(state: State) -> Any:
    counted = _of_queue(state).annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


@admin.register(Queue)
class QueueAdmin(ReadOnlyAdmin):
    """Every queue of the site; the actions pause and resume the selected ones."""

    list_display = ("name_and_link", "state", "ready", "oldest", "running", "since", "paused_by")
    list_display_links = None
    sortable_by = ()
    actions = ("pause_selected", "resume_selected")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list, with the queues that a new job type has brought."""
        queues.know_all()
        return super().changelist_view(request, extra_context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Queue]:
        """Return the queues in the order of taking, and those last that nothing declares."""
        known = registry.celery_queues()
        places = [When(name=name, then=place) for place, name in enumerate(known)]
        oldest = _of_queue(State.QUEUED).annotate(oldest=Min("run_at")).values("oldest")
        rows: QuerySet[Queue] = super().get_queryset(request)
        return rows.annotate(
            place=Case(*places, default=len(known), output_field=IntegerField()),
            ready=_count(State.QUEUED),
            running=_count(State.RUNNING),
            oldest_ready=Subquery(oldest),
        ).order_by("place", "name")

    def has_pause_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may pause and resume queues."""
        return request.user.has_perm("jobs.pause_queue") and self.has_view_permission(request)

    @admin.action(description="Pause selected queues", permissions=["pause"])
    def pause_selected(self, request: HttpRequest, queryset: QuerySet[Queue]) -> None:
        """Have no job of them taken any more; those that run go on."""
        self._steer(request, queryset, queues.pause, "Paused", "Jobs that run go on, none begins.")

    @admin.action(description="Resume selected queues", permissions=["pause"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[Queue]) -> None:
        """Have their jobs taken again."""
        self._steer(request, queryset, queues.resume, "Resumed", "")

    def _steer(
        self,
        request: HttpRequest,
        queryset: QuerySet[Queue],
        act: Callable[..., list[str]],
        done: str,
        remark: str,
    ) -> None:
        names = queryset.order_by("name").values_list("name", flat=True)
        actor = request.user.get_username()
        changed = [each for name in names for each in act(name, actor=actor)]
        if changed:
            told = f"{done} {', '.join(changed)}. {remark}".strip()
            self.message_user(request, told, messages.SUCCESS)
        else:
            self.message_user(request, "They were so already.", messages.INFO)

    @admin.display(description="queue")
    def name_and_link(self, queue: Queue) -> SafeString:
        """Return the name, which leads to the jobs that wait in it."""
        waiting = jobs_list(self.admin_site, f"state={State.QUEUED}&queue={queue.name}")
        return format_html('<a href="{}">{}</a>', waiting, queue.name)

    @admin.display(description="state")
    def state(self, queue: Queue) -> SafeString:
        """Return whether it goes on."""
        return badge("paused" if queue.paused_at else "goes on")

    @admin.display(description="ready")
    def ready(self, queue: Any) -> str:
        """Return how many jobs wait for a slot."""
        return str(queue.ready)

    @admin.display(description="oldest ready")
    def oldest(self, queue: Any) -> SafeString | str:
        """Return since when the oldest of them has been ready."""
        return moment(queue.oldest_ready)

    @admin.display(description="running")
    def running(self, queue: Any) -> str:
        """Return how many of its jobs run."""
        return str(queue.running)

    @admin.display(description="paused")
    def since(self, queue: Queue) -> SafeString | str:
        """Return since when it has been paused."""
        return moment(queue.paused_at)
