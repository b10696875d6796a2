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
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import pytest

from jobsite.env import BASE_DIR
from jobsite.supervision.site import LOOPBACK
from tests.stack import Process, Stack, eventually

pytestmark = pytest.mark.once
JOBS = [sys.executable, str(BASE_DIR / "manage.py"), "jobs"]
#: In the order of their start.
PROCESSES = ("redis", "worker", "beat", "gunicorn", "flower")


def held_port() -> socket.socket:
    """Return a socket whose port nobody else is given, until it is closed.

    Servers may listen on it, since it does not: they set SO_REUSEADDR, too.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((LOOPBACK, 0))
    return held


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
        self._held = held_port(), held_port()
        self.web, self.flower = (each.getsockname()[1] for each in self._held)
        self._started: list[Process] = []
        self._up: Process | None = None
        #: When each process began, in seconds of the system's clock, at the latest start.
        self.began: dict[str, float] = {}

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

    def up(self) -> Process:
        """Return the running `up`; start it unless it runs."""
        if self._up is None or self._up.returncode is not None:
            self._up = self.start()
            self._up.wait_for("Jobsite is up", 90)
            found = self.processes(self._up)
            self.began = {name: each.create_time() for name, each in found.items()}
        return self._up

    def start(self) -> Process:
        """Start `up`, and do not wait until it is."""
        ports = ["--web-port", str(self.web), "--flower-port", str(self.flower)]
        command = [*JOBS, "up", *ports, "--concurrency", "1"]
        log = self.folder / f"up-{len(self._started)}.log"
        self._started.append(Process(command, env=self.env, log=log))
        return self._started[-1]

    def down(self) -> None:
        """End everything."""
        for process in self._started:
            process.terminate(40)
        self.run("redis", "stop")
        for each in self._held:
            each.close()

    def processes(self, up: Process) -> dict[str, psutil.Process]:
        """Return the site's processes by name, Redis with them."""
        return {"redis": psutil.Process(self.redis()["pid"]), **children(up)}

    def status(self, path: str, port: int = 0) -> int:
        """Return what a page answers with; 0 if nothing does."""
        try:
            with urlopen(f"http://{LOOPBACK}:{port or self.web}{path}", timeout=5) as answer:
                return int(answer.status)
        except OSError:
            return 0

    def rows(self, statement: str) -> list[Any]:
        path = self.folder / "var" / "jobsite.sqlite3"
        with closing(sqlite3.connect(path, timeout=10)) as database:
            return database.execute(statement).fetchall()

    def redis(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.run("redis", "--json").stdout)
        return told

    def completes_a_job(self) -> bool:
        ran = self.run("submit", "sample.echo", "-p", "value=5", "--wait", "40s", "--json")
        return ran.returncode == 0 and bool(json.loads(ran.stdout)["result"] == 5)


@contextmanager
def made(services: Stack) -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="jobsite-up-"))  # short: a socket's path has a limit
    site = Site(folder, services.settings)
    try:
        yield site
    finally:
        site.down()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def site(services: Stack) -> Iterator[Site]:
    with made(services) as site:
        yield site


@pytest.fixture(scope="module")
def idle_site(services: Stack) -> Iterator[Site]:
    """A site that no test leaves running."""
    with made(services) as site:
        yield site


@pytest.fixture
def up(site: Site) -> Process:
    """The site, up: the same for every test, unless the one before has ended it."""
    return site.up()


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
    assert set(site.processes(up)) == set(PROCESSES)
    assert (site.status("/healthz"), site.status("/admin/login/")) == (200, 200)
    assert site.status("/healthcheck", site.flower) == 200
    worker = children(up)["worker"].pid
    eventually(lambda: (worker, 1) in site.rows("SELECT pid, concurrency FROM jobs_worker"), 30)
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

    eventually(lambda: len(replaced()) == 2, 30)
    assert replaced() == {"beat", "worker"}
    assert "ended with -9; starts again in 1 s" in up.output()
    assert site.completes_a_job()
    assert alive(pool) == []


def test_redis_is_started_again_when_it_dies(site: Site, up: Process) -> None:
    dead = site.redis()["pid"]
    psutil.Process(dead).kill()
    eventually(lambda: site.redis()["pid"] not in (None, dead), 30)
    assert site.completes_a_job()
    assert up.returncode is None


def test_processes_start_in_order(site: Site, up: Process) -> None:
    began = [site.began[name] for name in PROCESSES]
    assert began == sorted(began)


def test_sigterm_ends_all_of_it_in_the_other_order(site: Site, up: Process) -> None:
    processes = site.processes(up)
    started = [processes["redis"], *psutil.Process(up.pid).children(recursive=True)]
    assert len(started) > 5
    seen: list[list[bool]] = []

    def ended() -> bool:
        # The first to start is looked at first: whatever ends meanwhile was to end before it.
        seen.append([alive([processes[name]]) != [] for name in PROCESSES])
        return not any(seen[-1])

    up.signal(signal.SIGTERM)
    eventually(ended, 40)
    assert up.wait(20) == 0
    assert [each for each in seen if each != sorted(each, reverse=True)] == []
    assert [True, True, True, True, False] in seen  # Flower has gone, and the rest is there
    assert alive(started) == []
    assert site.redis()["state"] == "stopped"
    assert up.output().rstrip().splitlines()[-1].startswith("stopped in ")
    stopped = site.rows("SELECT pid FROM jobs_worker WHERE stopped_at IS NOT NULL")
    assert (processes["worker"].pid,) in stopped


def test_a_signal_while_it_starts(idle_site: Site) -> None:
    starting = idle_site.start()
    starting.wait_for(lambda: "worker" in children(starting), 60)
    started = psutil.Process(starting.pid).children(recursive=True)
    starting.signal(signal.SIGINT)
    assert starting.wait(40) == 0
    assert "Traceback" not in starting.output().rpartition("stopped in")[2]
    assert "Jobsite is up" not in starting.output()
    assert alive(started) == []
    assert idle_site.redis()["state"] == "stopped"


@pytest.mark.parametrize("option", ["--web-port", "--flower-port"])
def test_a_port_that_is_taken(idle_site: Site, option: str) -> None:
    other = "--flower-port" if option == "--web-port" else "--web-port"
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        refused = idle_site.run("up", option, str(port), other, "0")
    assert refused.returncode == 1
    assert f"port {port} is taken" in refused.stderr
    assert option in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("ports", "told"),
    [(("70000", "0"), "from 0 to 65535"), (("-1", "0"), "--web-port"), (("5", "5"), "for Flower")],
)
def test_ports_that_cannot_be(idle_site: Site, ports: tuple[str, str], told: str) -> None:
    refused = idle_site.run("up", f"--web-port={ports[0]}", f"--flower-port={ports[1]}")
    assert (refused.returncode, told in refused.stderr) == (1, True)
    assert "Traceback" not in refused.stderr


def test_a_folder_that_cannot_be_written(idle_site: Site) -> None:
    (idle_site.folder / "file").touch()
    refused = idle_site.run("up", JOBSITE_VAR=str(idle_site.folder / "file" / "var"))
    assert refused.returncode == 1
    told = refused.stderr.rstrip().splitlines()[-1]
    assert (
        f"the data folder {idle_site.folder}/file/var cannot be written (Not a directory)" in told
    )
    assert "JOBSITE_VAR" in told


def test_a_database_that_is_away_leaves_no_redis_behind(idle_site: Site) -> None:
    with held_port() as unused:
        away = f"postgresql://jobsite:s3cret@{LOOPBACK}:{unused.getsockname()[1]}/jobsite"
        refused = idle_site.run("up", "--web-port", "0", "--flower-port", "0", DATABASE_URL=away)
    assert refused.returncode == 1
    assert "the database cannot be used" in refused.stderr
    assert "s3cret" not in refused.stderr + refused.stdout
    assert idle_site.redis()["state"] == "stopped"
