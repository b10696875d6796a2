"""Submitting while the broker is away, and what the worker does when it comes back."""

import json
import socket
import subprocess
import sys
import threading
import time

import pytest

from jobs.public import get, submit
from tests.acceptance.conftest import Final
from tests.stack import Process, Stack, eventually


def submit_with(stack: Stack, broker: str) -> tuple[str, float]:
    """Submit from a process of its own; return the job's id and the seconds it took."""
    timed = [sys.executable, "-m", "tests.acceptance.timed_submit"]
    ran = subprocess.run(
        timed, env={**stack.env, "BROKER_URL": broker}, capture_output=True, text=True, check=True
    )
    told = json.loads(ran.stdout.splitlines()[-1])
    return told["job_id"], told["seconds"]


def test_a_broker_that_is_down_does_not_fail_a_submission(
    stack: Stack, worker: Process, beat: Process, final: Final
) -> None:
    job_id, seconds = submit_with(stack, "redis://127.0.0.1:1/0")
    assert seconds < 1
    assert final(job_id).state == "completed"


def test_a_broker_that_hangs_delays_a_submission_once(
    stack: Stack, worker: Process, beat: Process, final: Final
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        threading.Thread(target=_accept, args=(silent,), daemon=True).start()
        job_id, seconds = submit_with(stack, f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
    assert seconds < 3
    assert final(job_id).state == "completed"


def test_the_worker_goes_on_after_redis_was_away(
    stack: Stack, worker: Process, beat: Process, final: Final
) -> None:
    final(submit("sample.echo").job_id)
    stack.stop_redis()
    try:
        job_id = submit("sample.echo").job_id
        assert get(job_id).state == "queued"
    finally:
        stack.start_redis()
    back = time.monotonic()
    assert final(job_id, 40).state == "completed"
    assert time.monotonic() - back < 30
    assert worker.returncode is None


@pytest.mark.django_db(transaction=True)
def test_a_job_waits_for_a_worker(stack: Stack) -> None:
    job_id = submit("sample.echo").job_id
    assert eventually(lambda: get(job_id).state == "queued")


def _accept(server: socket.socket) -> None:
    held = []
    while True:
        try:
            held.append(server.accept())
        except OSError:
            return
