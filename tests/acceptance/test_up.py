"""`manage.py jobs up`: the whole site as one command, with its own folder, database and Redis."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest

from jobsite.env import BASE_DIR
from jobsite.supervision.site import LOOPBACK, free_port
from tests.stack import Process, Stack, eventually

JOBS = [sys.executable, str(BASE_DIR / "manage.py"), "jobs"]


class Site:
    """A site on a folder of its own, with the sample job types."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.folder = folder
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST_", "PROMETHEUS_"))
        }
        self.env = {
            **inherited,
            **settings,
            "JOBSITE_VAR": str(folder / "var"),
            "PYTHONUNBUFFERED": "1",
            # Nothing is configured: the site brings its own.
            **dict.fromkeys(("DATABASE_URL", "REDIS_URL", "BROKER_URL"), ""),
        }
        self.web, self.flower = free_port(), free_port()

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run `manage.py jobs` to its end."""
        return subprocess.run(
            [*JOBS, *arguments],
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def up(self, name: str = "up") -> Process:
        ports = ["--web-port", str(self.web), "--flower-port", str(self.flower)]
        command = [*JOBS, "up", *ports, "--concurrency", "1"]
        return Process(command, env=self.env, log=self.folder / f"{name}.log")

    def status(self, path: str, port: int = 0) -> int:
        """Return what a page answers with; 0 if nothing does."""
        try:
            with urlopen(f"http://{LOOPBACK}:{port or self.web}{path}", timeout=5) as answer:
                return int(answer.status)
        except URLError:
            return 0

    def rows(self, statement: str) -> list[Any]:
        database = sqlite3.connect(self.folder / "var" / "jobsite.sqlite3", timeout=10)
        try:
            return database.execute(statement).fetchall()
        finally:
            database.close()

    def redis(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.run("redis", "--json").stdout)
        return told

    def completes_a_job(self) -> bool:
        ran = self.run("submit", "sample.echo", "-p", "value=5", "--wait", "20s", "--json")
        return ran.returncode == 0 and bool(json.loads(ran.stdout)["result"] == 5)


@pytest.fixture(scope="module")
def site(services: Stack) -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="jobsite-up-"))  # short: a socket's path has a limit
    site = Site(folder, services.settings)
    yield site
    site.run("redis", "stop")
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def up(site: Site) -> Iterator[Process]:
    process = site.up()
    process.wait_for("Jobsite is up", 60)
    yield process
    process.terminate(40)


def children(process: Process) -> dict[str, psutil.Process]:
    """Return the site's processes by name."""
    names = {"worker", "beat", "flower", "gunicorn"}
    found = {}
    for child in psutil.Process(process.pid).children():
        with suppress(psutil.NoSuchProcess):  # or a zombie
            found.update(dict.fromkeys(names & set(child.cmdline()), child))
    return found


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that have not ended; one that nobody has asked about yet has, too."""
    return [
        each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE
    ]


def test_everything_is_ready_and_runs_jobs(site: Site, up: Process) -> None:
    assert set(children(up)) == {"worker", "beat", "flower", "gunicorn"}
    assert (site.status("/healthz"), site.status("/admin/login/")) == (200, 200)
    assert site.status("/healthcheck", site.flower) == 200
    ((pid, concurrency),) = site.rows("SELECT pid, concurrency FROM jobs_worker")
    assert (pid, concurrency) == (children(up)["worker"].pid, 1)
    assert site.redis()["state"] == "running"
    assert site.completes_a_job()


def test_secrets_are_not_on_a_command_line(up: Process) -> None:
    password = re.search(r"user jobsite, (\S+)", up.output())
    assert password
    lines = [" ".join(each.cmdline()) for each in psutil.Process(up.pid).children(recursive=True)]
    assert not [line for line in lines if password[1] in line]


def test_it_is_not_started_twice_on_a_folder(site: Site, up: Process) -> None:
    second = site.run("up", "--web-port", "0", "--flower-port", "0")
    assert second.returncode != 0
    assert f"by process {up.pid}:" in second.stderr
    assert "Traceback" not in second.stderr
    assert site.status("/healthz") == 200


def test_a_process_that_dies_is_started_again(site: Site, up: Process) -> None:
    before = children(up)
    pool = before["worker"].children()
    assert pool
    before["beat"].kill()
    before["worker"].kill()

    def replaced() -> set[str]:
        return {name for name, now in children(up).items() if now.pid != before[name].pid}

    eventually(lambda: len(replaced()) == 2, 15)
    assert replaced() == {"beat", "worker"}
    assert "ended with -9; starts again in 1 s" in up.output()
    assert site.completes_a_job()
    assert alive(pool) == []


def test_redis_is_started_again_when_it_dies(site: Site, up: Process) -> None:
    dead = site.redis()["pid"]
    psutil.Process(dead).kill()
    eventually(lambda: site.redis()["pid"] not in (None, dead), 20)
    assert site.completes_a_job()
    assert up.returncode is None


def test_sigterm_ends_all_of_it(site: Site, up: Process) -> None:
    redis, worker = psutil.Process(site.redis()["pid"]), children(up)["worker"].pid
    started = [redis, *psutil.Process(up.pid).children(recursive=True)]
    assert len(started) > 5
    began = time.monotonic()
    up.signal(signal.SIGTERM)
    assert up.wait(40) == 0
    assert time.monotonic() - began < 40
    assert alive(started) == []
    assert site.redis()["state"] == "stopped"
    assert up.output().rstrip().splitlines()[-1].startswith("stopped in ")
    stopped = site.rows("SELECT pid FROM jobs_worker WHERE stopped_at IS NOT NULL")
    assert (worker,) in stopped


def test_a_signal_while_it_starts(site: Site) -> None:
    starting = site.up("starting")
    eventually(lambda: "worker" in children(starting), 30)
    started = psutil.Process(starting.pid).children(recursive=True)
    starting.signal(signal.SIGINT)
    assert starting.wait(40) == 0
    assert "Traceback" not in starting.output().rpartition("stopped in")[2]
    assert "Jobsite is up" not in starting.output()
    assert alive(started) == []
    assert site.redis()["state"] == "stopped"


@pytest.mark.parametrize("option", ["--web-port", "--flower-port"])
def test_a_port_that_is_taken(site: Site, option: str) -> None:
    other = "--flower-port" if option == "--web-port" else "--web-port"
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        refused = site.run("up", option, str(port), other, "0")
    assert refused.returncode == 1
    assert f"port {port} is taken" in refused.stderr
    assert option in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("ports", "told"),
    [(("70000", "0"), "from 0 to 65535"), (("-1", "0"), "--web-port"), (("5", "5"), "for Flower")],
)
def test_ports_that_cannot_be(site: Site, ports: tuple[str, str], told: str) -> None:
    refused = site.run("up", f"--web-port={ports[0]}", f"--flower-port={ports[1]}")
    assert (refused.returncode, told in refused.stderr) == (1, True)
    assert "Traceback" not in refused.stderr


def test_a_folder_that_cannot_be_written(site: Site) -> None:
    (site.folder / "file").touch()
    refused = site.run("up", JOBSITE_VAR=str(site.folder / "file" / "var"))
    assert refused.returncode == 1
    told = refused.stderr.rstrip().splitlines()[-1]
    assert f"the data folder {site.folder}/file/var cannot be written (Not a directory)" in told
    assert "JOBSITE_VAR" in told


def test_a_database_that_is_away_leaves_no_redis_behind(site: Site) -> None:
    away = f"postgresql://jobsite:s3cret@{LOOPBACK}:{free_port()}/jobsite"
    refused = site.run("up", "--web-port", "0", "--flower-port", "0", DATABASE_URL=away)
    assert refused.returncode == 1
    assert "the database cannot be used" in refused.stderr
    assert "s3cret" not in refused.stderr + refused.stdout
    assert site.redis()["state"] == "stopped"
