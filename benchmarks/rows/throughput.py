"""A, B, J and L: how many jobs a second."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks import surroundings
from benchmarks.bench import Bench
from benchmarks.figures import Figures
from jobs.models import Job
from jobs.public import pause_queue, resume_queue
from jobsite.env import BASE_DIR

_SUBMITTER = """
import sys, time
import django
django.setup()
from jobs.public import submit
submit("bench.noop")
ends = time.monotonic() + float(sys.argv[1])
count = 0
while time.monotonic() < ends:
    submit("bench.noop", {"n": count})
    count += 1
print(count)
"""


def bulk(bench: Bench) -> Figures:
    """A: many at once, then drained."""
    bench.empty()
    count = bench.scaled(100_000, at_least=2000)
    submitted, drained = bench.drain(count)
    plain = bench.celery["per_second"]
    return {
        "jobs": count,
        "submit_per_second": round(submitted),
        "per_second": round(drained),
        "celery_per_second": plain,
        "ratio_to_celery": round(drained / plain, 1),
    }


def single(bench: Bench) -> Figures:
    """B: one by one from two processes as fast as they go, drained meanwhile."""
    bench.empty()
    seconds = bench.scaled(20, at_least=3)
    command = [sys.executable, "-c", _SUBMITTER, str(seconds)]
    with bench.worker(), ThreadPoolExecutor(2) as pool:
        bench.warm_up()
        outputs = list(pool.map(lambda _: _output(command), range(2)))
        left = Job.objects.filter(state="queued").count()
        bench.wait_until_drained()
    counts = [int(output) for output in outputs]
    return {
        "seconds": seconds,
        "submits_per_second_a_process": round(min(counts) / seconds),
        "submits_per_second": round(sum(counts) / seconds),
        "left_at_the_end": left,
    }


def events(bench: Bench) -> Figures:
    """L: a drain with Celery's events turned on, as Flower turns them on, against one without."""
    count = bench.scaled(50_000, at_least=2000)
    ours: dict[str, list[float]] = {"": [], "-E": []}
    for option in ("", "-E", "-E", ""):  # so that what drifts meanwhile harms neither
        bench.empty()
        ours[option].append(bench.drain(count, *filter(None, [option]))[1])
    off, on = sum(ours[""]), sum(ours["-E"])
    celery_off, celery_on = bench.celery_drain(), bench.celery_drain("-E")
    return {
        "jobs": count,
        "per_second_without": round(off / 2),
        "per_second_with": round(on / 2),
        "slower_percent": round(100 * (1 - on / off), 1),
        "celery_slower_percent": round(100 * (1 - celery_on / celery_off), 1),
    }


def embedded(bench: Bench) -> Figures:
    """J: on SQLite and the embedded Redis, under web, two workers and beat."""
    env = surroundings.environment("", "")
    command = [
        sys.executable,
        "-m",
        "benchmarks.beside_the_web",
        str(bench.scaled(50_000, at_least=1000)),
    ]
    try:
        told = subprocess.run(  # noqa: S603 - ourselves
            command, env=env, cwd=BASE_DIR, capture_output=True, text=True, check=True
        )
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"on SQLite: {error.stderr[-2000:]}") from None
    figures: Figures = json.loads(told.stdout.splitlines()[-1])
    figures["ratio_to_celery"] = round(figures["per_second"] / bench.celery["per_second"], 1)
    return figures


def beside_the_web(bench: Bench, count: int) -> Figures:
    """Drain so many while people look at the list, on the database in use."""
    client, locked, pages, began = bench.logged_in(), 0, 0, time.monotonic()
    with bench.beat(), bench.worker(), bench.worker(name="second"):
        # Everyone is there before the first of them runs.
        pause_queue("normal", actor="bench")
        submitted = bench.fill(count)
        resume_queue("normal", actor="bench")
        while Job.objects.filter(state__in=("queued", "running")).exists():
            status = client.get("/admin/jobs/job/").status_code
            locked += status != 200
            pages += 1
            time.sleep(0.1)
    logs = "".join(path.read_text() for path in surroundings.folder().glob("*.log"))
    done = Job.objects.filter(state="completed").order_by("started_at")
    first, last = done.first(), Job.objects.order_by("-finished_at").first()
    if first is None or last is None or first.started_at is None or last.finished_at is None:
        raise RuntimeError(f"nothing ran in {time.monotonic() - began:.0f} s")
    return {
        "jobs": count,
        "submit_per_second": round(submitted),
        "per_second": round(count / (last.finished_at - first.started_at).total_seconds()),
        "pages": pages,
        "pages_failed": locked,
        "database_is_locked": logs.count("database is locked"),
    }


def _output(command: list[str]) -> str:
    ran = subprocess.run(  # noqa: S603 - ourselves
        command, cwd=BASE_DIR, capture_output=True, text=True, check=True
    )
    return ran.stdout
