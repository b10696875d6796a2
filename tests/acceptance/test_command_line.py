"""The command line as its users have it: real processes, with a real worker behind them."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from jobs.management.exit_codes import ExitCode
from jobs.public import cancel, create_schedule, get, submit
from jobs.public import list as listed
from jobsite.env import BASE_DIR
from tests.acceptance.conftest import Final
from tests.conftest import LiveProcess
from tests.stack import Process, Stack, eventually
from tests.stack.run import celery

JOBS = [sys.executable, str(BASE_DIR / "manage.py"), "jobs"]
Run = Callable[..., subprocess.CompletedProcess[str]]
pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
def run(stack: Stack, tmp_path: Path) -> Run:
    """Run a command to its end, in another folder than the project's."""

    def call(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*JOBS, *command],
            cwd=tmp_path,
            env=stack.env,
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
        )

    return call


def told(ran: subprocess.CompletedProcess[str], code: ExitCode) -> Any:
    """Return the one JSON document that standard output is."""
    assert ran.returncode == code, ran.stderr
    assert "Traceback" not in ran.stderr
    return json.loads(ran.stdout)


def test_waiting_for_a_job_that_completes(run: Run) -> None:
    ran = run("submit", "sample.echo", "-p", "value=[5]", "--wait")
    assert (ran.returncode, ran.stderr.splitlines()[0][:4]) == (ExitCode.DONE, "job ")
    job_id = ran.stderr.split()[1]
    assert ran.stdout == f"{job_id}  ✔ completed\n[5]\n"
    job = told(run("submit", "sample.echo", "-p", "value=5", "--wait", "--json"), ExitCode.DONE)
    assert (job["state"], job["result"]) == ("completed", 5)


def test_waiting_for_a_job_that_fails(run: Run) -> None:
    ran = run("submit", "sample.trouble", "-p", "kind=permanent", "--wait", "--json")
    job = told(ran, ExitCode.FAILED)
    assert (job["state"], job["error"]) == ("failed", "no use")


def test_waiting_watching_and_cancelling(run: Run, path: str, final: Final) -> None:
    params = json.dumps({"path": path, "seconds": 60})
    ran = run("submit", "sample.work", "--params", params, "--wait", "1s", "--json")
    job = told(ran, ExitCode.TIMED_OUT)
    assert job["state"] == "running"
    watched = told(run("watch", job["id"], "--wait", "100ms", "--json"), ExitCode.TIMED_OUT)
    assert watched["progress"] >= job["progress"]
    (asked,) = told(run("cancel", job["id"], "--json"), ExitCode.DONE)
    assert asked["state"] in ("running", "cancelled")
    assert told(run("watch", job["id"], "--json"), ExitCode.FAILED)["state"] == "cancelled"
    run_time = final(job["id"]).run_time
    assert run_time is not None
    assert run_time < timedelta(seconds=30)


def test_running_a_schedule_by_hand(run: Run) -> None:
    create_schedule("yearly", "sample.echo", cron="0 0 1 1 *", params={"value": 9})
    job = told(run("trigger", "yearly", "--wait", "--json"), ExitCode.DONE)
    assert job["result"] == 9
    assert [str(each.pk) for each in listed(schedule="yearly")] == [job["id"]]


def test_a_retried_job_is_followed_to_its_next_end(
    run: Run, beat: Process, path: str, final: Final
) -> None:
    params = {"kind": "permanent", "path": path, "fail_times": 1}
    job_id = str(final(submit("sample.trouble", params).job_id).pk)
    assert told(run("retry", job_id, "--json"), ExitCode.DONE)[0]["jobId"] == job_id
    assert told(run("watch", job_id, "--json"), ExitCode.DONE)["result"] == "recovered"


def test_celerys_own_command_submits_a_job(stack: Stack, final: Final) -> None:
    ran = subprocess.run(
        celery("call", "sample.echo", "--kwargs", '{"value": 5}'),
        cwd=BASE_DIR,
        env=stack.env,
        capture_output=True,
        text=True,
        timeout=40,
        check=True,
    )
    (job,) = eventually(lambda: listed(job_type="sample.echo"))
    assert final(job.pk).result == 5
    assert job.idempotency_key == f"celery:{ran.stdout.strip()}"


def test_what_the_workers_children_did_is_measured_by_another_process(
    run: Run, final: Final
) -> None:
    def executed() -> float:
        families = text_string_to_metric_families(run("metrics").stdout)
        return sum(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == "jobsite_job_executed_total"
            and sample.labels["job_type"] == "sample.chatty"
        )

    before = executed()
    for _ in range(4):
        final(submit("sample.chatty").job_id)
    assert executed() == before + 4


@pytest.mark.parametrize("verb", ["submit", "watch"])
def test_ctrl_c_ends_the_waiting_and_not_the_job(
    live_process: LiveProcess, path: str, final: Final, verb: str
) -> None:
    params = json.dumps({"path": path, "seconds": 60})
    if verb == "submit":
        command = ["submit", "sample.work", "--params", params, "--wait"]
    else:
        command = ["watch", str(submit("sample.work", json.loads(params)).job_id)]
    waiting = live_process([*JOBS, *command], name=verb)
    waiting.wait_for("\n")  # what it prints first: the job's id
    (job,) = eventually(lambda: listed(state="running"))
    waiting.signal(signal.SIGINT)
    assert waiting.wait() == ExitCode.INTERRUPTED
    assert "Traceback" not in waiting.output()
    assert f"jobs watch {job.pk}" in waiting.output()
    assert get(job.pk).state == "running"
    cancel(job.pk)
    final(job.pk)
