"""One run of the suite: its folder, the environment its settings read, and its servers."""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import redis
from pydantic import SecretStr

from jobsite import embedded
from jobsite.embedded.binary import find_server
from jobsite.embedded.place import Place
from jobsite.env import Environment
from tests.stack.postgresql import Cluster
from tests.stack.process import LIVE, Process, eventually
from tests.stack.rabbitmq import Rabbit

#: The run's folder. It is set in the suite and in the processes that it starts, nowhere else.
RUN: Final = "JOBSITE_TEST_RUN"
CHOICE: Final = "JOBSITE_TEST_STACK"
#: What a run can be on, with its database and its broker.
STACKS: Final = {
    "sqlite": ("SQLite", "the embedded Redis"),
    "postgresql": ("PostgreSQL", "Redis"),
    "rabbitmq": ("PostgreSQL", "RabbitMQ"),
    "sqlite-rabbitmq": ("SQLite", "RabbitMQ"),
}
_current: "Stack | None" = None


def begin() -> None:
    """Give this run of pytest a folder and an environment of its own, before settings are read.

    It does nothing in other processes that load the suite's settings, as those it starts do.
    """
    global _current
    if "PYTEST_VERSION" not in os.environ or RUN in os.environ:
        return
    name = os.environ.get(CHOICE, "sqlite")
    if name not in STACKS:
        raise SystemExit(f"{CHOICE} is {name!r}: choose one of {', '.join(STACKS)}")
    _current = Stack(name)
    for variable in [each for each in os.environ if each.startswith("JOBSITE_")]:
        del os.environ[variable]  # the engine's settings, as the shell has them
    os.environ.update(_current.settings)
    atexit.register(_current.close)  # pytest may end before it reads the conftest


def current() -> "Stack":
    """Return this run's stack."""
    assert _current is not None, "tests.settings begins the run"
    return _current


class Stack:
    """The servers under the tests, and how to start the site's processes on them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = Path(tempfile.mkdtemp(prefix="jobsite-test-"))
        self.database, self.broker = STACKS[name]
        self._cluster: Cluster | None = None
        self._rabbit: Rabbit | None = None
        self._redis: subprocess.Popen[bytes] | None = None
        #: Shared processes by name, kept from one test to the next that asks for them.
        self._shared: dict[str, Process] = {}
        self._numbers: dict[str, int] = {}
        self._test_database = ""
        self.settings = {
            **_defaults(),
            RUN: str(self.folder),
            CHOICE: name,
            "JOBSITE_VAR": str(self.folder / "var"),
            "DATABASE_URL": f"sqlite:///{self.folder / 'jobsite.sqlite3'}",
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }
        if self.database == "PostgreSQL":
            url = os.environ.get("TEST_DATABASE_URL", "")
            if not url:
                self._cluster = Cluster()
                url = self._cluster.url
            self.settings["DATABASE_URL"] = url
        if self.broker == "Redis":
            self.settings["REDIS_URL"] = f"redis://127.0.0.1:{_free_port()}/0"
        if self.broker == "RabbitMQ":
            self._rabbit = Rabbit()
            self.settings["BROKER_URL"] = self._rabbit.url

    @property
    def redis_url(self) -> str:
        """Redis, as redis-py reads it."""
        return self._environment().redis

    @property
    def env(self) -> dict[str, str]:
        """The environment of a live process: it shares the tests' own database and Redis."""
        url = self.settings["DATABASE_URL"]
        if self.database == "SQLite":
            url = f"sqlite:///{self._test_database}"
        else:
            url = urlsplit(url)._replace(path=f"/{self._test_database}").geturl()
        assert self._test_database, "the test database is not there yet: ask for a database fixture"
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
        }
        return {**inherited, **self.settings, "DATABASE_URL": url, "PYTHONUNBUFFERED": "1"}

    def start(self) -> None:
        """Start the servers.

        Raises:
            Unavailable: there is no PostgreSQL, or no RabbitMQ, to run on.
        """
        if self._cluster is not None:
            self._cluster.start()
        self.start_broker()

    def use_database(self, name: str) -> None:
        """Note the database that the tests were given."""
        self._test_database = name

    @property
    def cluster(self) -> Cluster | None:
        """The PostgreSQL server, if the run has one of its own."""
        return self._cluster

    def start_broker(self) -> None:
        """Start the broker, with the data it had when it was stopped."""
        if self._rabbit is not None:
            self._rabbit.start()
        elif self.broker == "the embedded Redis":
            embedded.ensure_running(self._environment())
        else:
            self._start_redis()

    def _start_redis(self) -> None:
        folder = self.folder / "redis"
        folder.mkdir(exist_ok=True)
        port = str(urlsplit(self.redis_url).port)
        options = {
            "--bind": "127.0.0.1",
            "--port": port,
            "--dir": str(folder),
            "--appendonly": "yes",
            "--save": "",
        }
        with (folder / "log").open("ab") as log:
            self._redis = subprocess.Popen(
                [str(find_server()), *(part for item in options.items() for part in item)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        eventually(self._redis_answers, what=f"Redis on port {port}")

    def stop_broker(self) -> None:
        """Stop the broker; `start_broker` brings it back."""
        if self._rabbit is not None:
            self._rabbit.halt()
        elif self.broker == "the embedded Redis":
            embedded.stop(self._environment())
        elif self._redis is not None:
            self._redis.terminate()
            self._redis.wait(10)
            self._redis = None

    def wipe_broker(self) -> None:
        """Take everything that the broker holds, as FLUSHALL does, or the loss of its disk."""
        if self._rabbit is not None:
            self._rabbit.wipe()
        else:
            with redis.Redis.from_url(self.redis_url) as client:
                client.flushall()

    def signal_broker(self, number: int) -> None:
        """Send a signal, such as SIGSTOP, to the broker's process."""
        if self._rabbit is not None:
            self._rabbit.signal(number)
        elif self._redis is not None:
            self._redis.send_signal(number)
        else:
            # Not by asking it who it is: a server that is stopped does not answer.
            process = Place.of(self._environment()).process()
            assert process is not None
            process.send_signal(number)

    def process(self, command: Sequence[str], *, name: str, env: Mapping[str, str]) -> Process:
        """Start a process on this stack, its output in a file of its own."""
        number = self._numbers[name] = self._numbers.get(name, 0) + 1
        log = self.folder / f"{name}-{number}.log"
        return Process(command, env={**self.env, **env}, log=log)

    def shared(self, name: str, command: Sequence[str], *, ready: str) -> Process:
        """Return the running process of that name; start it unless it runs."""
        found = self._shared.get(name)
        if found is None or found.returncode is not None:
            found = self._shared[name] = self.process(command, name=name, env={})
            found.wait_for(ready, 60)
        return found

    def end_shared(self, *, besides: Sequence[str] = ()) -> None:
        """End the shared processes that the next test does not ask for."""
        for name in [name for name in self._shared if name not in besides]:
            self._shared.pop(name).terminate()

    def close(self) -> None:
        """End every process and server of this run, and remove its folder."""
        self.end_shared()
        for process in list(LIVE):
            process.kill()
        self.stop_broker()
        if self._rabbit is not None:
            self._rabbit.stop()
        if self._cluster is not None:
            self._cluster.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _environment(self) -> Environment:
        return Environment(
            jobsite_var=Path(self.settings["JOBSITE_VAR"]),
            redis_url=self.settings["REDIS_URL"],
            broker_url=self.settings["BROKER_URL"],
        )

    def _redis_answers(self) -> bool:
        assert self._redis is None or self._redis.poll() is None, "Redis ended at its start"
        try:
            with redis.Redis.from_url(self.redis_url) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False


def celery(*arguments: str) -> list[str]:
    """Return the command line of the site's Celery."""
    return [sys.executable, "-m", "celery", "-A", "jobsite", *arguments]


def _defaults() -> dict[str, str]:
    """Return every variable's default, so that neither the shell nor an .env file is heard."""
    texts = {}
    for name, field in Environment.model_fields.items():
        value = field.get_default(call_default_factory=True)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        texts[name.upper()] = ",".join(value) if isinstance(value, list) else str(value)
    return texts


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
