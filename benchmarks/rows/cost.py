"""H, I and K: what it costs as it grows, and at rest."""

import time
from contextlib import suppress

import psutil
from django.db import ProgrammingError, connection

from benchmarks.bench import Bench
from benchmarks.figures import Figures, spread
from jobs.models import Job
from jobs.public import submit

_MB = 2**20
_COPY = {
    "postgresql": """
        INSERT INTO jobs_job (id, {columns}) SELECT gen_random_uuid(), {columns}
        FROM (SELECT * FROM jobs_job LIMIT 1) AS one, generate_series(1, {rows}) AS copies""",
    "sqlite": """
        WITH RECURSIVE copies(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM copies WHERE i < {rows})
        INSERT INTO jobs_job (id, {columns}) SELECT lower(hex(randomblob(16))), {columns}
        FROM (SELECT * FROM jobs_job LIMIT 1) AS one, copies""",
}


def growth(bench: Bench) -> Figures:
    """H: a drain, an idle start and the list, with many finished rows against none."""
    bench.empty()
    empty = _workload(bench)
    bench.empty()
    rows = bench.scaled(1_000_000, at_least=10_000)
    copy_finished(bench, rows)
    grown = _workload(bench)
    return {
        "rows": rows,
        **{f"{name}_empty": value for name, value in empty.items()},
        **{f"{name}_grown": value for name, value in grown.items()},
        "drain_ratio": round(empty["per_second"] / grown["per_second"], 2),
        "start_ratio": round(grown["p50_ms"] / empty["p50_ms"], 2),
        "list_ratio": round(grown["list_ms"] / empty["list_ms"], 2),
    }


def _workload(bench: Bench) -> Figures:
    _, drained = bench.drain(bench.scaled(20_000, at_least=1000))
    waits = bench.idle_starts(bench.scaled(200, at_least=30))
    client = bench.logged_in()
    pages = []
    for _ in range(10):
        began = time.perf_counter()
        client.get("/admin/jobs/job/")
        pages.append(time.perf_counter() - began)
    return {
        "per_second": round(drained),
        "p50_ms": spread(waits)["p50_ms"],
        "list_ms": spread(pages)["p50_ms"],
    }


def copy_finished(bench: Bench, rows: int) -> None:
    """Fill the table with copies of one finished job."""
    submit("bench.noop")
    with bench.worker():
        bench.wait_until_drained()
    fields = [field.column for field in Job._meta.concrete_fields if field.name != "id"]
    listed = ", ".join(f'"{column}"' for column in fields)
    with connection.cursor() as cursor:
        cursor.execute(_COPY[connection.vendor].format(columns=listed, rows=rows))
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE jobs_job")
            with suppress(ProgrammingError):  # not every role may; then it is under way meanwhile
                cursor.execute("CHECKPOINT")
    bench.analyze()


def memory(bench: Bench) -> Figures:
    """I: what each process holds, and whether it grows."""
    bench.empty()
    count = bench.scaled(1_000_000, at_least=10_000)
    with bench.worker() as worker, bench.beat() as beat, bench.web() as server:
        bench.fill(bench.scaled(20_000, at_least=2000))
        bench.wait_until_drained()
        before = [_rss(process) for process in bench.family(worker)]
        for _ in range(10):
            bench.fill(count // 10)
            bench.wait_until_drained()
        after = [_rss(process) for process in bench.family(worker)]
        told = {
            "worker_parent_mb": after[0],
            "worker_child_mb": max(after[1:]),
            "beat_mb": _rss(psutil.Process(beat.pid)),
            "web_mb": max(_rss(process) for process in bench.family(server)),
        }
    grown = max(new - old for new, old in zip(after, before, strict=False))
    return {"jobs": count, **told, "growth_mb": round(grown, 1)}


def _rss(process: psutil.Process) -> float:
    return round(float(process.memory_info().rss) / _MB, 1)


def at_rest(bench: Bench) -> Figures:
    """K: all processes together, with nothing to do."""
    bench.empty()
    seconds = bench.scaled(60, at_least=10)
    with bench.worker() as worker, bench.beat() as beat, bench.web() as server:
        time.sleep(10)
        named = {"worker": worker, "beat": beat, "web": server}
        families = {name: bench.family(process) for name, process in named.items()}
        before = {name: _cpu(family) for name, family in families.items()}
        time.sleep(seconds)
        used = {name: _cpu(family) - before[name] for name, family in families.items()}
    percent = {f"{name}_percent": round(100 * spent / seconds, 2) for name, spent in used.items()}
    return {"seconds": seconds, **percent, "percent_of_a_core": round(sum(percent.values()), 2)}


def _cpu(family: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in family]
    return float(sum(each.user + each.system for each in times))
