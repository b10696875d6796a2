"""What people and programs see of real runs: events, logs, metrics, processes."""

import json
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.request import urlopen

import psutil
import pytest
import redis
from celery import current_app
from django.db import transaction

from jobs.conf import jobs_settings
from jobs.models import Job, Worker
from jobs.public import describe, get, submit
from jobs.selectors import history
from jobs.services.doorbell import waiting_rings
from tests.acceptance.conftest import Final
from tests.conftest import LiveProcess
from tests.stack import Process, Stack, eventually
from tests.stack.run import celery

Witness = Callable[[], list[str]]


def command(stack: Stack, *arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, "manage.py", "jobs", *arguments],
        env=stack.env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return ran.stdout


def test_every_transition_is_on_the_stream_and_the_timeline(
    stack: Stack, worker: Process, beat: Process, final: Final
) -> None:
    eventually(Worker.objects.exists, 15)
    job = final(submit("sample.trouble", {"kind": "error"}, max_attempts=2).job_id)

    def told() -> list[tuple[str, str]]:
        lines = command(stack, "events", "--since", "0", "--no-follow", "--json").splitlines()
        events = [json.loads(line) for line in lines]
        return [(e["event"], e["state"]) for e in events if e["job_id"] == str(job.pk)]

    expected = [
        ("job.created", "queued"),
        ("job.failed", "failed"),
        ("job.queued", "queued"),
        ("job.retrying", "retrying"),
        ("job.started", "running"),
        ("job.started", "running"),
    ]
    eventually(lambda: sorted(told()) == expected, 60)
    runs = [moment for moment in history.timeline(job) if moment.after == "running"]
    assert [moment.worker.partition("@")[0] for moment in runs] == ["shared", "shared"]


def test_a_workers_log_names_the_job_and_never_its_parameters(
    worker: Process, final: Final
) -> None:
    canary = "canary-7c1d"
    job = final(submit("sample.echo", {"value": canary}).job_id)
    lines = [line for line in worker.output().splitlines() if str(job.pk) in line]
    told = [json.loads(line) for line in lines]
    assert [line["event"] for line in told] == ["job_started", "job_completed"]
    assert {line["trace_id"] for line in told} == {job.trace_id}
    assert {line["job_type"] for line in told} == {"sample.echo"}
    assert canary not in worker.output()


def test_metrics_add_up_over_processes(
    stack: Stack, worker: Process, beat: Process, final: Final
) -> None:
    def values() -> Counter[str]:
        lines = command(stack, "metrics").splitlines()
        pairs = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
        return Counter({name: round(float(value)) for name, _, value in pairs})

    failed = 'jobsite_job_failed_total{error_type="retries_exhausted",job_type="sample.trouble"}'
    retried = 'jobsite_job_retry_attempts_total{job_type="sample.trouble"}'
    executed = 'jobsite_job_executed_total{job_type="sample.echo"}'
    runs = 'jobsite_job_duration_seconds_count{job_type="sample.echo"}'
    before = values()
    final(submit("sample.trouble", {"kind": "error"}).job_id)
    for _ in range(5):
        final(submit("sample.echo").job_id)
    after = values()
    more = {name: after[name] - before[name] for name in (failed, retried, executed, runs)}
    assert more == {failed: 1, retried: 2, executed: 5, runs: 5}
    assert after["jobsite_job_dlq_items"] == 1


def test_a_worker_shows_that_it_lives_until_it_hangs(
    stack: Stack, worker: Process, final: Final
) -> None:
    probe = 'test -n "$(find "$0"/jobsite-worker-"$1"-*/alive -newermt "-3 seconds")"'

    def alive() -> bool:
        asked = ["sh", "-c", probe, tempfile.gettempdir(), str(worker.pid)]
        return subprocess.run(asked, check=False).returncode == 0

    eventually(alive, 5)
    worker.signal(signal.SIGSTOP)
    try:
        eventually(lambda: not alive(), 10)
    finally:
        worker.signal(signal.SIGCONT)
    eventually(alive, 5)
    assert final(submit("sample.echo").job_id).state == "completed"


def test_a_rolled_back_submission_leaves_no_message(
    stack: Stack, transactional_db: None, redis_url: str
) -> None:
    current_app.control.purge()
    with transaction.atomic():
        submit("sample.echo", priority="low")
        transaction.set_rollback(True)
    assert waiting_rings({"low"}) == set()
    submit("sample.echo", priority="low")
    assert waiting_rings({"low"}) == {"low"}
    with redis.Redis.from_url(redis_url) as client:
        assert client.llen("jobsite:low") == 1


def test_unheard_bells_do_not_pile_up(
    stack: Stack, transactional_db: None, beat: Process, redis_url: str
) -> None:
    current_app.control.purge()
    job_id = submit("sample.echo", priority="low").job_id
    Job.objects.filter(pk=job_id).update(run_at=datetime.now(UTC) - timedelta(minutes=1))
    with redis.Redis.from_url(redis_url) as client:
        client.delete("jobsite:low")
        eventually(lambda: client.llen("jobsite:low") == 1, 10)
        due = submit("sample.chatty", delay=timedelta(seconds=4)).job_id
        eventually(lambda: get(due).state == "queued", 15)
        assert client.llen("jobsite:low") == 1
    current_app.control.purge()


@pytest.mark.usefixtures("transactional_db")
def test_a_critical_job_waits_for_no_more_than_the_take_in_progress(
    stack: Stack, live_process: LiveProcess, path: str, final: Final
) -> None:
    now = datetime.now(UTC)
    backlog = [
        Job(
            job_type="sample.echo", queue="low", priority=3, state="queued", params={},
            max_attempts=1, timeout=timedelta(minutes=1), created_at=now, run_at=now,
        )
        for _ in range(10_000)
    ]  # fmt: skip
    Job.objects.bulk_create(backlog, batch_size=500)
    live_process(celery("worker", "--concurrency", "1", "-n", "backlog@%h"), name="backlog")
    submit("sample.echo", priority="low")
    eventually(lambda: Job.objects.filter(state="completed").count() > 10, 40)
    critical = submit("sample.echo", priority="critical").job_id
    stored_at = datetime.now(UTC)  # after the commit, which may have waited behind the worker's
    job = final(critical)
    overtook = Job.objects.filter(
        priority=3, started_at__gt=stored_at, started_at__lt=job.started_at
    )
    assert overtook.count() <= jobs_settings().batch_size


@pytest.mark.once
def test_what_a_worker_cannot_finish_in_time_is_handed_on(
    stack: Stack, live_process: LiveProcess, transactional_db: None, path: str, final: Final
) -> None:
    stopping = live_process(
        celery("worker", "--concurrency", "2", "-n", "stopping@%h"),
        name="stopping",
        env={"WORKER_SHUTDOWN_SECONDS": "8"},
    )
    short = submit("sample.work", {"path": path, "seconds": 2}).job_id
    long = submit("sample.work", {"path": path, "seconds": 100}, max_attempts=1).job_id
    eventually(lambda: {get(short).state, get(long).state} == {"running"}, 60)
    stopping.signal(signal.SIGTERM)
    late = submit("sample.echo").job_id
    assert stopping.wait(60) == 0
    assert get(short).state == "completed"
    job = get(long)
    assert (job.state, job.attempt) == ("queued", 0)
    assert [each.outcome for each in history.attempts(job)] == ["released"]
    assert get(late).state == "queued"


def test_web_and_worker_keep_to_their_own_work(
    live_process: LiveProcess, worker: Process, beat: Process, redis_url: str, final: Final
) -> None:
    final(submit("sample.echo").job_id)  # its pool is there
    workers = [psutil.Process(worker.pid), *psutil.Process(worker.pid).children(recursive=True)]
    assert len(workers) == 3
    for process in workers:
        sockets = process.net_connections(kind="inet")
        assert [each for each in sockets if each.status == psutil.CONN_LISTEN] == []
    with redis.Redis.from_url(redis_url) as client:
        eventually(lambda: consumers(client))
        worker.terminate()
        eventually(lambda: not consumers(client))
    current_app.control.purge()
    web = live_process(
        [sys.executable, "-m", "gunicorn", "jobsite.wsgi", "--bind", "127.0.0.1:0"], name="web"
    )
    web.wait_for("Booting worker", 60)
    port = re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", web.output())
    assert port
    job_id = submit("sample.echo", priority="low").job_id
    with redis.Redis.from_url(redis_url) as client:
        # The bell rings when the job is submitted, and twice again when it is lost.
        for _ in range(3):
            eventually(lambda: client.llen("jobsite:low") == 1, 30)
            with urlopen(f"http://127.0.0.1:{port[1]}/healthz", timeout=30) as answer:
                assert answer.status == 200
            assert client.delete("jobsite:low") == 1
        assert consumers(client) == []
    assert get(job_id).state == "queued"
    (server,) = psutil.Process(web.pid).children(recursive=True)
    assert "gunicorn" in server.cmdline()


def consumers(client: "redis.Redis") -> list[str]:
    """Return the clients that wait for what comes into a queue."""
    return [each["addr"] for each in client.client_list() if "b" in each["flags"]]


def test_the_clean_up_runs_on_a_worker(worker: Process, final: Final) -> None:
    old = final(submit("sample.echo").job_id)
    Job.objects.filter(pk=old.pk).update(finished_at=datetime.now(UTC) - timedelta(hours=25))
    kept = final(submit("sample.echo").job_id)
    job = final(submit("maintenance.cleanup").job_id, 30)
    assert job.state == "completed"
    assert job.result is not None
    assert job.result["removed"]["completed"] == 1
    assert not Job.objects.filter(pk=old.pk).exists()
    assert Job.objects.filter(pk=kept.pk).exists()


def test_a_timed_out_job_says_so_as_json(worker: Process, path: str, final: Final) -> None:
    told = describe(final(submit("sample.sleepy", {"path": path}).job_id))
    assert (told["failure_reason"], told["timeout_seconds"]) == ("timeout", 1)
    assert told["retryable"] is True
