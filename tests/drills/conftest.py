"""What every drill has: short leases, a folder of faults, processes of its own, an account."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from tests.conftest import LiveProcess
from tests.drills.drill import LEASE_SECONDS, ROWS, Drill
from tests.drills.witness import Witness, stop_watching, watch_completions
from tests.sample import faults
from tests.stack import Process, Stack
from tests.stack.run import celery

Start = Callable[..., Process]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the drills, and skip those that are not for the stack of this run."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.drill)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table of the drills."""
    if not ROWS:
        return
    write = terminalreporter.write_line
    terminalreporter.section("drills")
    write(f"{'drill':<76} {'jobs':>6} {'lost':>5} {'twice':>6} {'runs':>5} {'recovered':>10}")
    for row in ROWS:
        name = f"{row.number:>3} {row.name} ({row.stack})"
        seconds = "-" if row.seconds is None else f"{row.seconds:g} s"
        counts = f"{row.jobs:>6} {row.lost:>5} {row.twice:>6} {row.most_runs:>5}"
        write(f"{name:<76} {counts} {seconds:>10}")


@pytest.fixture
def drill(
    request: pytest.FixtureRequest, stack: Stack, transactional_db: None, tmp_path: Path
) -> Iterator[Drill]:
    """The drill of this test; its number and name are the test's marker `drill_of`."""
    marker = request.node.get_closest_marker("drill_of")
    number, name = marker.args
    # Not a trigger of another test's: it would hold the tables that are emptied between tests.
    watch_completions()
    yield Drill(str(number), name, stack.name, Witness(tmp_path / "witness"))
    connection.close()
    stop_watching()


@pytest.fixture
def short_leases(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of the processes of a drill; this process has the same settings."""
    settings.JOBS = {**settings.JOBS, "LEASE_SECONDS": LEASE_SECONDS}
    return {"JOBSITE_LEASE_SECONDS": str(LEASE_SECONDS), "WORKER_SHUTDOWN_SECONDS": "5"}


@pytest.fixture
def fault(tmp_path: Path) -> Callable[[str], Path]:
    """Arm a fault; the file that is returned is gone once it has struck."""
    folder = tmp_path / "faults"
    folder.mkdir()

    def arm(point: str) -> Path:
        assert point in faults.POINTS
        path = folder / point
        path.touch()
        return path

    return arm


@pytest.fixture
def killed_at_the_end() -> Iterator[list[Process]]:
    """Processes that need no orderly end: that takes seconds, and has a drill of its own."""
    processes: list[Process] = []
    yield processes
    for process in processes:
        process.kill()


@pytest.fixture
def start_worker(
    live_process: LiveProcess,
    short_leases: dict[str, str],
    tmp_path: Path,
    killed_at_the_end: list[Process],
) -> Start:
    """Start a worker; returns once it is ready."""
    count = 0

    def start(*arguments: str, wait: bool = True, **env: str) -> Process:
        nonlocal count
        count += 1
        given = arguments or ("--concurrency", "2")
        worker = live_process(
            celery("worker", *given, "-n", f"drill{count}@%h"),
            name="drill-worker",
            env={**short_leases, faults.FOLDER: str(tmp_path / "faults"), **env},
        )
        killed_at_the_end.append(worker)
        if wait:
            worker.wait_for("ready.", 40)
        return worker

    return start


@pytest.fixture
def start_beat(
    live_process: LiveProcess, short_leases: dict[str, str], killed_at_the_end: list[Process]
) -> Start:
    """Start a beat."""

    def start(**env: str) -> Process:
        beat = live_process(
            celery("beat", "-s", "/dev/null"), name="drill-beat", env={**short_leases, **env}
        )
        killed_at_the_end.append(beat)
        beat.wait_for("beat: Starting", 40)
        return beat

    return start


@pytest.fixture
def memory_backend(settings: Settings) -> None:
    """Rings go nowhere: what is drilled are the rows."""
    settings.JOBS = {**settings.JOBS, "BACKEND": "memory"}
