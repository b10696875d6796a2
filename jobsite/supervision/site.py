"""Which processes the site has, and how one tells that they are ready."""

import errno
import os
import secrets
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.db import DatabaseError

from jobs.domain.errors import ConfigurationError
from jobs.public import worker_counts
from jobsite.supervision.child import Child, Sink

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class SitePlan:
    """What `up` was asked for.

    Attributes:
        web_port: 0 for no web process.
        flower_port: 0 for no Flower.
        concurrency: processes of the worker; 0 for one per core.
        flower_password: of the user `jobsite`.
    """

    web_port: int = 8000
    flower_port: int = 5555
    concurrency: int = 0
    flower_password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)

    @property
    def web_url(self) -> str:
        """Where the site answers."""
        return f"http://{LOOPBACK}:{self.web_port}"

    @property
    def flower_url(self) -> str:
        """Where Flower answers."""
        return f"http://{LOOPBACK}:{self.flower_port}"

    def children(self, sink: Sink, env: Mapping[str, str]) -> list[Child]:
        """Return the processes, in the order of their start.

        Args:
            sink: where their lines go.
            env: variables for each of them.
        """
        # Quiet: no banner, which says nothing that the log does not.
        celery = (sys.executable, "-m", "celery", "-A", "jobsite", "--quiet")
        worker = [*celery, "worker", "--loglevel", "INFO"]
        if self.concurrency:
            worker += ["--concurrency", str(self.concurrency)]
        if self.flower_port:
            worker.append("--task-events")
        made = [
            Child("worker", worker, sink=sink, env=env),
            Child("beat", [*celery, "beat", "--loglevel", "INFO"], sink=sink, env=env),
        ]
        if self.web_port:
            made.append(Child("web", self._web(), sink=sink, env=env))
        if self.flower_port:
            flower = [*celery, "flower", f"--address={LOOPBACK}", f"--port={self.flower_port}"]
            # In the environment: a command line can be read by every user of the machine.
            password = {"FLOWER_BASIC_AUTH": f"jobsite:{self.flower_password}"}
            # Flower asks the workers about themselves once, at its start.
            made.append(
                Child("flower", flower, sink=sink, env={**env, **password}, after=_worker_is_ready)
            )
        return made

    def check_ports(self) -> None:
        """Do nothing if the ports are free.

        Raises:
            ConfigurationError: one is not; the message names it and the option for another.
        """
        for option, port in (("--web-port", self.web_port), ("--flower-port", self.flower_port)):
            if port and (why := _why_unusable(port)):
                raise ConfigurationError(f"port {port} {why}; choose another one with {option}")
        if self.web_port and self.web_port == self.flower_port:
            raise ConfigurationError(
                f"port {self.web_port} is for web or for Flower; choose another one with "
                "--flower-port"
            )

    def not_ready(self) -> list[str]:
        """Return the names of the processes that do not answer now."""
        checks: dict[str, Callable[[], bool]] = {"worker": _worker_is_ready}
        if self.web_port:
            checks["web"] = lambda: _answers(f"{self.web_url}/healthz")
        if self.flower_port:
            checks["flower"] = lambda: _answers(f"{self.flower_url}/healthcheck")
        return [name for name, ready in checks.items() if not ready()]

    def _web(self) -> list[str]:
        return [
            sys.executable, "-m", "gunicorn", "jobsite.wsgi",
            "--bind", f"{LOOPBACK}:{self.web_port}", "--workers", "1", "--threads", "8",
            "--graceful-timeout", "10", "--access-logfile", os.devnull, "--no-control-socket",
        ]  # fmt: skip


def _worker_is_ready() -> bool:
    try:
        return worker_counts()["healthy"] > 0
    except DatabaseError:  # it is away for a moment
        return False


def free_port() -> int:
    """Return a port of the loopback interface that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _why_unusable(port: int) -> str:
    """Return why nothing can listen on the port; empty if something can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OverflowError:
            return "is not one: it must be from 0 to 65535"
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return "is taken by another program"
            return f"cannot be used ({error.strerror})"
    return ""


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own loopback URL
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
