"""Submitting while the broker is away or the submitter dies, and what the worker does then."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from jobs.public import get, submit
from tests.acceptance.conftest import Final
from tests.conftest import LiveProcess
from tests.servers.slow import slowed
from tests.stack import Process, Stack
from tests.stack.run import celery


def submit_with(stack: Stack, broker: str, *, times: int) -> tuple[list[UUID], list[float]]:
    """Submit from a process of its own; return the jobs' ids and the seconds each took."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.acceptance.timed_submit", str(times)],
        env={**stack.env, "BROKER_URL": broker}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("[")]
    assert len(told) == times
    return [UUID(job_id) for job_id, _ in told], [seconds for _, seconds in told]


@pytest.fixture
def silent_broker() -> Iterator[str]:
    """The URL of a server that one can connect to and that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:  # the kernel accepts
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def test_a_broker_that_is_down_does_not_fail_a_submission(
    stack: Stack, worker: Process, beat: Process, final: Final
) -> None:
    (job_id,), (seconds,) = submit_with(stack, "redis://127.0.0.1:1/0", times=1)
    assert seconds < 1
    assert final(job_id, 30).state == "completed"


def test_a_broker_that_hangs_delays_a_submission_once(
    stack: Stack, worker: Process, beat: Process, silent_broker: str, final: Final
) -> None:
    job_ids, (first, second) = submit_with(stack, silent_broker, times=2)
    assert 1 < first < 3
    assert second < 1
    assert [final(job_id, 30).state for job_id in job_ids] == ["completed"] * 2


def test_a_broker_that_is_slow_holds_up_few_submissions(
    stack: Stack, worker: Process, beat: Process, final: Final
) -> None:
    """200 ms a call: whoever submits first finds out, and a thread waits for it from then on."""
    with slowed(urlsplit(stack.redis_url).port or 0, seconds=0.2) as port:
        job_ids, seconds = submit_with(stack, f"redis://127.0.0.1:{port}/0", times=30)
        assert [final(job_id, 30).state for job_id in job_ids] == ["completed"] * 30
    first, *others = seconds
    assert first >= 0.2
    assert sorted(others)[len(others) // 2] < 0.1
    assert sum(others) < 2


def test_the_worker_goes_on_after_redis_was_away(
    stack: Stack, worker: Process, beat: Process, final: Final
) -> None:
    final(submit("sample.echo").job_id)
    stack.stop_broker()
    try:
        job_id = submit("sample.echo").job_id
        assert get(job_id).state == "queued"
    finally:
        stack.start_broker()
    back = time.monotonic()
    assert final(job_id, 40).state == "completed"
    assert time.monotonic() - back < 30
    assert worker.returncode is None


@pytest.mark.usefixtures("transactional_db")
def test_a_job_outlives_a_submitter_that_is_killed(
    stack: Stack, live_process: LiveProcess, final: Final
) -> None:
    killed = subprocess.run(
        [sys.executable, "-m", "tests.acceptance.killed_submit"],
        env=stack.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    job_id = UUID(killed.stdout)
    assert (get(job_id).state, get(job_id).params) == ("queued", {"value": "kept"})
    live_process(celery("worker", "--concurrency", "1", "-n", "later@%h"), name="later")
    assert final(job_id, 60).result == "kept"
