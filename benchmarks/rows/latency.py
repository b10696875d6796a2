"""C, D, E, F and G: how long a job waits."""

import time
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F

from benchmarks.bench import Bench
from benchmarks.figures import Figures, spread
from jobs.conf import jobs_settings
from jobs.models import Job
from jobs.public import NewJob, submit, submit_many
from jobs.selectors.clock import database_now


def idle(bench: Bench) -> Figures:
    """C: one job at a time, the worker idle."""
    bench.empty()
    waits = bench.idle_starts(bench.scaled(500, at_least=50))
    plain = bench.celery
    figures = spread(waits)
    return {
        "jobs": len(waits),
        **figures,
        "celery_p50_ms": plain["p50_ms"],
        "celery_p99_ms": plain["p99_ms"],
        "ratio_to_celery": round(figures["p50_ms"] / plain["p50_ms"], 2),
    }


def paced(bench: Bench) -> Figures:
    """D: 5,000 a second, for ten minutes."""
    bench.empty()
    seconds, rate, pause = bench.scaled(600, at_least=6), 5000, 0.02
    together = round(rate * pause)
    ids: list[tuple[float, UUID]] = []
    with bench.worker():
        bench.warm_up()
        began = time.monotonic()
        for number in range(round(seconds / pause)):
            result = submit_many(NewJob("bench.noop", {"n": n}) for n in range(together))
            job_id = result.job_ids[number % together]
            if job_id is not None:
                ids.append((time.monotonic() - began, job_id))
            time.sleep(max(0, began + (number + 1) * pause - time.monotonic()))
        took = time.monotonic() - began
        bench.wait_until_drained()
    part = min(60, seconds / 3)
    first = bench.waits([job_id for at, job_id in ids if at < part])
    last = bench.waits([job_id for at, job_id in ids if at > took - part])
    return {
        "seconds": round(took),
        "per_second": round(len(ids) * together / took),
        **spread(bench.waits([job_id for _, job_id in ids])),
        "p99_ms_at_first": spread(first)["p99_ms"],
        "p99_ms_at_last": spread(last)["p99_ms"],
    }


def delayed(bench: Bench) -> Figures:
    """E: many due at the same moment."""
    bench.empty()
    count = bench.scaled(1000, at_least=100)
    with bench.worker(), bench.beat():
        bench.warm_up()
        due = database_now() + timedelta(seconds=3)
        submit_many(NewJob("bench.noop", {"n": n}, {"run_at": due}) for n in range(count))
        delayed = Job.objects.filter(scheduled_for__isnull=False)
        bench.wait(lambda: delayed.filter(state="completed").count() == count, 60)
    late = delayed.annotate(late=F("started_at") - F("scheduled_for")).values_list("late")
    lateness = [wait.total_seconds() for (wait,) in late]
    tick = jobs_settings().scheduler_tick_ms
    return {
        "jobs": count,
        "tick_ms": tick,
        **spread(lateness),
        "early": sum(x < 0 for x in lateness),
    }


def urgent(bench: Bench) -> Figures:
    """F: critical jobs into a backlog of low ones, of 5 ms each."""
    bench.empty()
    backlog = bench.scaled(100_000, at_least=4000)
    submit_many(
        NewJob("bench.work", {"milliseconds": 5}, {"priority": "low"}) for _ in range(backlog)
    )
    bench.analyze()
    ids = []
    with bench.worker():
        ran = Job.objects.filter(state="completed")
        bench.wait(lambda: ran.count() > 200, 60)
        for _ in range(bench.scaled(100, at_least=10)):
            ids.append(submit("bench.noop", priority="critical").job_id)
            time.sleep(0.1)
        time.sleep(1)
        left = Job.objects.filter(state="queued").count()
    return {"backlog": backlog, "left": left, "jobs": len(ids), **spread(bench.waits(ids))}


def in_a_request(bench: Bench) -> Figures:
    """G: what a submission costs a web request, in whose transaction it is."""
    bench.empty()
    took = []
    with bench.worker():
        bench.warm_up()
        for number in range(bench.scaled(2000, at_least=100)):
            began = time.perf_counter()
            with transaction.atomic():
                submit("bench.noop", {"n": number})
            took.append(time.perf_counter() - began)
            time.sleep(0.005)
    return {"submits": len(took), **spread(took)}
