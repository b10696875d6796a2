"""The harness itself: processes that share the tests' database and Redis, and are ended."""

import os
import signal
import subprocess
import sys

import psutil
import pytest
import redis
from django.contrib.auth.models import Group
from django.db import connection

from jobsite.env import BASE_DIR
from tests.conftest import LiveProcess
from tests.stack import LIVE, Stack, eventually

pytestmark = pytest.mark.integration


@pytest.mark.django_db(transaction=True)
def test_a_live_process_shares_the_tests_database(live_process: LiveProcess) -> None:
    Group.objects.create(name="from the test")
    code = (
        "from django.contrib.auth.models import Group\n"
        "assert Group.objects.filter(name='from the test').exists()\n"
        "Group.objects.create(name='from the process')\n"
    )
    process = live_process([sys.executable, "manage.py", "shell", "-c", code])
    eventually(lambda: Group.objects.filter(name="from the process").exists(), 30)
    assert process.wait() == 0


def test_a_live_process_shares_redis(stack: Stack, live_process: LiveProcess) -> None:
    code = (
        "import sys, redis; from jobsite.env import environment\n"
        "redis.Redis.from_url(environment().redis).rpush('harness', 'ping')\n"
    )
    process = live_process([sys.executable, "-c", code])
    with redis.Redis.from_url(stack.redis_url) as client:
        found = client.blpop(["harness"], timeout=20)
    assert found == (b"harness", b"ping"), process.tail()


def test_redis_keeps_its_data_over_a_restart(stack: Stack, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set("harness", "kept")
    stack.stop_broker()
    stack.start_broker()
    with redis.Redis.from_url(redis_url) as client:
        assert client.get("harness") == b"kept"
        client.delete("harness")


def test_a_process_that_ends_too_early_shows_what_it_said(live_process: LiveProcess) -> None:
    process = live_process(["sh", "-c", "echo went wrong; exit 7"])
    with pytest.raises(AssertionError, match="ended with 7") as failed:
        process.wait_for("ready")
    assert "went wrong" in str(failed.value)


def test_a_stubborn_process_is_killed_with_its_children(live_process: LiveProcess) -> None:
    process = live_process(["sh", "-c", "trap '' TERM; sleep 61 & echo up; wait; wait"])
    process.wait_for("up")
    (child,) = eventually(lambda: psutil.Process(process.pid).children())
    assert process in LIVE
    assert process.terminate(timeout=0.1) == signal.SIGKILL
    assert process not in LIVE
    eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_neither_the_shell_nor_an_env_file_reaches_the_tests() -> None:
    assert os.environ["SLACK_TOKEN"] == ""
    assert os.environ["JOBSITE_ENV"] == "development"


@pytest.mark.django_db(transaction=True)
def test_a_statement_waits_for_a_lock_no_longer_than_ten_seconds() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one lock, and waits 30 s for it")
    connection.close()  # what a test before this one has set, it has set on that connection
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("10s",)


def test_a_host_that_vanished_holds_its_locks_for_half_a_minute() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is on one host")
    options = connection.settings_dict["OPTIONS"]["options"]
    asked = ("tcp_keepalives_idle=10", "tcp_keepalives_interval=5", "tcp_keepalives_count=3")
    assert all(f"-c {each}" in options for each in asked)


@pytest.mark.once
@pytest.mark.parametrize(("mark", "code"), [("unit", 0), ("acceptance", 5)])
def test_tests_are_chosen_by_the_mark_of_their_folder(mark: str, code: int) -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", mark]
    ran = subprocess.run(
        [*command, "tests/unit/domain/test_cron.py"],
        cwd=BASE_DIR, env={"PATH": os.environ["PATH"]}, capture_output=True, check=False,
    )  # fmt: skip
    assert ran.returncode == code, ran.stdout.decode()
