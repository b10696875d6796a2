"""The benchmark measures, and leaves nothing behind. What it measures is not judged here."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from jobs.models import Job
from jobsite.env import BASE_DIR
from tests.stack import Stack

pytestmark = pytest.mark.once


def bench(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "jobs", "bench", *arguments],
        cwd=BASE_DIR, env={**os.environ, **stack.env}, capture_output=True, text=True,
        check=False, timeout=110,
    )  # fmt: skip


def test_it_measures_and_leaves_nothing(stack: Stack, transactional_db: None) -> None:
    left = set(Path(tempfile.gettempdir()).glob("jobsite-bench-*"))
    ran = bench(stack, "--only", "a,C", "--scale", "0.001", "--slots", "1", "--json")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert set(told) == {"A", "C", "machine"}
    assert told["A"]["jobs"] == 2000
    assert told["A"]["per_second"] > 0
    assert told["A"]["ratio_to_celery"] > 0
    assert 0 < told["C"]["p50_ms"] <= told["C"]["p99_ms"]
    assert told["machine"]["slots"] == 1
    assert set(Path(tempfile.gettempdir()).glob("jobsite-bench-*")) == left
    assert not Job.objects.exists()


def test_a_row_that_is_not_there_is_named(stack: Stack) -> None:
    ran = bench(stack, "--only", "A,Z")
    assert ran.returncode == 2
    assert "there is no row 'Z'; use some of: A, B" in ran.stderr
