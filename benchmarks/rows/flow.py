"""What it costs jobs to belong together and to wait for each other."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Max, Min
from django.utils import timezone

from benchmarks.bench import Bench
from benchmarks.figures import Figures
from jobs.models import Job
from jobs.public import NewJob, create_batch, get_batch, submit, submit_many


def together(bench: Bench) -> Figures:
    """N: a batch, and a graph that fans out and in, against the same jobs without them.

    Each twice and in turns, so that what drifts meanwhile harms neither.
    """
    members = bench.scaled(100_000, at_least=2000)
    nodes = bench.scaled(10_000, at_least=1000)
    batch = _in_turns(lambda: _alone(bench, members), lambda: _batch(bench, members))
    graph = _in_turns(lambda: _alone(bench, nodes), lambda: _graph(bench, nodes))
    return {
        "batch_of": members,
        "batch_slower_percent": round(100 * (batch - 1), 1),
        "graph_of": nodes,
        "graph_slower_percent": round(100 * (graph - 1), 1),
    }


def _in_turns(plain: Callable[[], float], other: Callable[[], float]) -> float:
    """Return how many times as long the other took."""
    took = [plain(), other(), other(), plain()]
    return (took[1] + took[2]) / (took[0] + took[3])


def _alone(bench: Bench, count: int) -> float:
    since = _begin(bench)
    bench.fill(count)
    return _seconds(bench, since, lambda: not _live())


def _batch(bench: Bench, count: int) -> float:
    since = _begin(bench)
    made = create_batch(NewJob("bench.noop", {"n": number}) for number in range(count))
    return _seconds(bench, since, lambda: get_batch(made.batch_id).state == "finished")


def _graph(bench: Bench, count: int) -> float:
    """One job, all the others after it, and one after all of those."""
    since = _begin(bench)
    first = submit("bench.noop").job_id
    middle = submit_many(
        NewJob("bench.noop", {"n": number}, {"depends_on": [first]}) for number in range(count - 2)
    )
    submit("bench.noop", depends_on=_ids(middle.job_ids))
    return _seconds(bench, since, lambda: not _live())


def _ids(ids: Sequence[UUID | None]) -> list[UUID]:
    return [job_id for job_id in ids if job_id is not None]


def _begin(bench: Bench) -> datetime:
    bench.empty()
    return timezone.now()


def _live() -> bool:
    live = [Job.objects.filter(state=state) for state in ("blocked", "queued", "running")]
    return any(jobs.exists() for jobs in live)


def _seconds(bench: Bench, since: datetime, ended: Callable[[], bool]) -> float:
    """Have a worker run what was submitted; return how long it took from the first to the last."""
    bench.analyze()
    with bench.worker():
        bench.wait(ended, 900, pause=0.2)
    done = Job.objects.filter(state="completed", started_at__gte=since)
    told = done.aggregate(first=Min("started_at"), last=Max("finished_at"))
    took: float = (told["last"] - told["first"]).total_seconds()
    return took
