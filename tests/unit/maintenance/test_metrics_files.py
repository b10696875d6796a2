"""The files of processes that are gone go, and what they counted stays."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from maintenance import metrics_files

COUNTING = """
from prometheus_client import Counter, Gauge, Histogram
Counter("runs", "Runs.", ["job_type"]).labels("a.b").inc(3)
Histogram("took", "Took.", buckets=(1, 5)).observe(2)
Gauge("load", "Load.").set(7)
print("counted", flush=True)
input()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    return tmp_path


def start_counting() -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", COUNTING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=dict(os.environ),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"counted\n"
    return process


def count_and_end(times: int = 1) -> None:
    for _ in range(times):
        start_counting().communicate(b"\n", timeout=30)


def series() -> dict[str, float]:
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    lines = generate_latest(registry).decode().splitlines()
    return {
        name: float(value)
        for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        if not name.startswith("load")
    }


def test_files_of_ended_processes_go_and_their_counts_stay(folder: Path) -> None:
    count_and_end(times=2)
    before = series()
    assert before['runs_total{job_type="a.b"}'] == 6
    assert before['took_bucket{le="5.0"}'] == 2
    assert metrics_files.sweep(dry_run=True) == 6
    assert len(list(folder.glob("*.db"))) == 6
    assert metrics_files.sweep() == 6
    assert sorted(path.name for path in folder.glob("*.db")) == [
        "counter_ended.db",
        "histogram_ended.db",
    ]
    assert series() == before


def test_it_may_be_done_again_and_again(folder: Path) -> None:
    for _ in range(2):
        count_and_end()
        assert metrics_files.sweep() == 3
        assert metrics_files.sweep() == 0
    assert series()['runs_total{job_type="a.b"}'] == 6


def test_files_of_living_processes_stay(folder: Path) -> None:
    process = start_counting()
    try:
        assert metrics_files.sweep() == 0
        assert len(list(folder.glob("*.db"))) == 3
    finally:
        process.communicate(b"\n", timeout=30)


def test_other_files_stay(folder: Path) -> None:
    (folder / "notes_12345678.txt").touch()
    assert metrics_files.sweep() == 0
    assert (folder / "notes_12345678.txt").exists()


@pytest.mark.parametrize("value", ["", "/no/such/folder"])
def test_without_a_folder_there_is_nothing(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", value)
    assert metrics_files.sweep() == 0
