"""The queues: which there are, what waits in them, and which are paused."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Count, Min

from jobs.conf import jobs_settings, where
from jobs.domain.errors import ConfigurationError
from jobs.domain.registry import registry
from jobs.domain.states import State
from jobs.models import Job, Queue

# PostgreSQL's planner would rather read the table from its begin, through all that has completed,
# or walk the primary key. It takes a range whose ends it does not know for a narrow one, so it goes
# along the index of ready jobs, which begins with the priority, whatever it knows of the table.
_COUNT = """
SELECT COUNT(*) FROM (
    SELECT 1 FROM {table} WHERE state = 'queued' AND queue = %s
        AND priority BETWEEN (SELECT CAST(%s AS integer)) AND (SELECT CAST(%s AS integer)) LIMIT %s
) AS ready
"""


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue as people look at it.

    Attributes:
        name: such as `high` or `mail.high`.
        ready: jobs that the next free slot may take.
        running: jobs that run now.
        oldest: since when its oldest ready job has been ready; None without one.
        paused_at: since when nothing is taken from it; None while it goes on.
        paused_by: who paused it, or empty.
    """

    name: str
    ready: int
    running: int
    oldest: datetime | None
    paused_at: datetime | None
    paused_by: str


def paused_queues() -> set[str]:
    """Return the queues that are paused."""
    return set(Queue.objects.filter(paused_at__isnull=False).values_list("name", flat=True))


def check_queue_names() -> None:
    """Do nothing if the settings of single queues name queues of this site alone.

    Raises:
        ConfigurationError: they do not; the message names the queues that there are.
    """
    known = registry.celery_queues()
    for setting in ("queue_sizes", "queue_concurrency"):
        for name in getattr(jobs_settings(), setting):
            if name not in known:
                raise ConfigurationError(
                    f"{where(setting)} names the queue {name!r}, which is not there; use: "
                    f"{', '.join(known)}"
                )


def ready_up_to(limit: int, queue: str, priority: int) -> int:
    """Return how many ready jobs are in the queue; it counts no further than the limit.

    Args:
        limit: how far to count.
        queue: its name.
        priority: of the jobs in it: the index of ready jobs begins with it.
    """
    count = _COUNT.format(table=connection.ops.quote_name(Job._meta.db_table))
    with connection.cursor() as cursor:
        cursor.execute(count, [queue, priority, priority, limit])
        (ready,) = cursor.fetchone()
    return int(ready)


def ready_of_tenant(limit: int, tenant: str) -> int:
    """Return how many ready jobs a tenant has; it counts no further than the limit."""
    ready = Job.objects.filter(state=State.QUEUED, tenant=tenant).exclude(tenant="")
    return ready.order_by()[:limit].count()


def queues(*, tenant: str = "") -> list[QueueView]:
    """Return every queue of the site, and those that jobs wait in although nothing declares them.

    In the order of taking, the undeclared ones last.

    Args:
        tenant: whose jobs are counted; empty: everyone's.
    """
    ready = _counted(State.QUEUED, tenant)
    running = _counted(State.RUNNING, tenant)
    rows = {row.name: row for row in Queue.objects.all()}
    known = registry.celery_queues()
    strays = sorted({*ready, *running}.difference(known))
    return [
        QueueView(
            name=name,
            ready=ready.get(name, (0, None))[0],
            running=running.get(name, (0, None))[0],
            oldest=ready.get(name, (0, None))[1],
            paused_at=rows[name].paused_at if name in rows else None,
            paused_by=rows[name].paused_by if name in rows else "",
        )
        for name in [*known, *strays]
    ]


def _counted(state: State, tenant: str) -> dict[str, tuple[int, datetime | None]]:
    jobs = Job.objects.filter(state=state)
    if tenant:
        jobs = jobs.filter(tenant=tenant)
    rows = jobs.order_by().values_list("queue")
    return {
        queue: (count, since) for queue, count, since in rows.annotate(Count("pk"), Min("run_at"))
    }
