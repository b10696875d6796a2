"""Workers: which are there, whether they are alive, and what they run."""

from typing import Any

from django.contrib import admin
from django.db.models import Case, CharField, Count, F, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from jobs.admin.display import badge, full_moment, moment
from jobs.admin.links import link_to_job
from jobs.admin.read_only import ReadOnlyAdmin
from jobs.domain.states import State
from jobs.models import Worker
from jobs.selectors.clock import database_now

ALIVE, LOST, LEFT = "alive", "lost", "left"


def with_health(workers: QuerySet[Worker]) -> QuerySet[Worker]:
    """Add `health` (`alive`: its lease holds; `lost`; `left`) and `running`, its jobs now."""
    health = Case(
        When(stopped_at__isnull=False, then=Value(LEFT)),
        When(expires_at__gt=database_now(), then=Value(ALIVE)),
        default=Value(LOST),
        output_field=CharField(),
    )
    running = Count("jobs", filter=Q(jobs__state=State.RUNNING))
    return workers.annotate(health=health, running=running)


class HealthFilter(admin.SimpleListFilter):
    """Alive, lost or left."""

    title = "health"
    parameter_name = "health"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return what a worker can be."""
        return [(ALIVE, "alive"), (LOST, "lost: its lease ran out"), (LEFT, "left")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list."""
        return queryset.filter(health=self.value()) if self.value() else queryset


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    """Workers write themselves; here they are watched."""

    list_display = (
        "name", "health_badge", "running_jobs", "queue_names", "obeys", "host_and_pid", "version",
        "started", "seen",
    )  # fmt: skip
    list_filter = (HealthFilter,)
    search_fields = ("name", "host")
    sortable_by = ()
    fields = (
        "name", "health_badge", "jobs_now", "queue_names", "obeys", "slots", "pool", "host", "pid",
        "version", "started_exactly", "seen_exactly", "expires_exactly", "stopped_exactly", "id",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Worker]:
        """Return the workers, those that are there first, then the newest first."""
        workers = with_health(super().get_queryset(request))
        return workers.order_by(F("stopped_at").desc(nulls_first=True), "-started_at")

    @admin.display(description="health")
    def health_badge(self, worker: Any) -> SafeString:
        """Return whether it is alive."""
        return badge(worker.health)

    @admin.display(description="running jobs")
    def running_jobs(self, worker: Any) -> str:
        """Return how many jobs it runs now, of how many it can."""
        return f"{worker.running} of {self.slots(worker)}"

    @admin.display(description="concurrency")
    def slots(self, worker: Worker) -> str:
        """Return how many jobs it can run at once, and between which numbers that changes."""
        if worker.max_concurrency is None:
            return str(worker.concurrency)
        return f"{worker.concurrency} ({worker.min_concurrency} to {worker.max_concurrency})"

    @admin.display(description="profile")
    def obeys(self, worker: Worker) -> str:
        """Return the name of its profile."""
        return worker.profile or "—"

    @admin.display(description="queues")
    def queue_names(self, worker: Worker) -> str:
        """Return the queues it listens to, in its order."""
        return ", ".join(worker.queues)

    @admin.display(description="host")
    def host_and_pid(self, worker: Worker) -> SafeString:
        """Return where it runs."""
        return format_html('{}<div class="job-exact">pid {}</div>', worker.host, worker.pid)

    @admin.display(description="started", ordering="started_at")
    def started(self, worker: Worker) -> SafeString | str:
        """Return when it started."""
        return moment(worker.started_at)

    @admin.display(description="seen")
    def seen(self, worker: Worker) -> SafeString | str:
        """Return when it last renewed its lease."""
        return moment(worker.seen_at)

    @admin.display(description="running jobs")
    def jobs_now(self, worker: Worker) -> SafeString | str:
        """Return links to the jobs it runs now."""
        running = worker.jobs.filter(state=State.RUNNING).order_by("id")
        rows = running.values_list("pk", "job_type")
        links = ((link_to_job(self.admin_site, job_id), name) for job_id, name in rows)
        return format_html_join("\n", "<div>{} {}</div>", links) or "none"

    @admin.display(description="started")
    def started_exactly(self, worker: Worker) -> SafeString | str:
        """Return when it started."""
        return full_moment(worker.started_at)

    @admin.display(description="seen")
    def seen_exactly(self, worker: Worker) -> SafeString | str:
        """Return when it last renewed its lease."""
        return full_moment(worker.seen_at)

    @admin.display(description="lease ends")
    def expires_exactly(self, worker: Worker) -> SafeString | str:
        """Return when it is taken for dead unless it renews its lease."""
        return full_moment(worker.expires_at)

    @admin.display(description="stopped")
    def stopped_exactly(self, worker: Worker) -> SafeString | str:
        """Return when it left."""
        return full_moment(worker.stopped_at)
