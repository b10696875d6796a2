"""A private RabbitMQ server: its own temporary folder, free ports on the loopback, nothing kept."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import kombu
import psutil
from celery import current_app

from tests.stack.postgresql import Unavailable
from tests.stack.process import eventually

_SCRIPTS = (
    Path("/usr/lib/rabbitmq/bin/rabbitmq-server"),  # Debian: on the PATH is a wrapper of root's
    Path("/opt/homebrew/sbin/rabbitmq-server"),
    Path("/usr/local/sbin/rabbitmq-server"),
)


class Rabbit:
    """A server of our own. Its URL is known before it starts."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="jobsite-rabbit-"))
        self._port, self._between, self._mapper = (_free_port() for _ in range(3))
        self.url = f"amqp://guest:guest@127.0.0.1:{self._port}//"
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run it, with the data it had when it was stopped.

        Raises:
            Unavailable: there is none, or it does not start.
        """
        script = next((path for path in _SCRIPTS if os.access(path, os.X_OK)), None)
        if script is None:
            raise Unavailable("no rabbitmq-server in " + ", ".join(map(str, _SCRIPTS)))
        config = self.folder / "rabbitmq.conf"
        config.write_text(f"listeners.tcp.1 = 127.0.0.1:{self._port}\n")
        environment = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),  # where Erlang keeps its cookie
            "ERL_EPMD_PORT": str(self._mapper),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"jobsite-{self._port}@localhost",
            "RABBITMQ_CONFIG_FILE": str(config),
            "RABBITMQ_DIST_PORT": str(self._between),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"),
            # As it comes, every core spins for work for a while.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
        }
        log = self.folder / "output"
        with log.open("ab") as output:
            self._server = subprocess.Popen(
                [str(script)],
                env=environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            eventually(self._answers, 60, what="RabbitMQ to answer")
        except AssertionError:
            lines = log.read_text(errors="replace").splitlines()
            last = next((line for line in reversed(lines) if line.strip()), "no output")
            raise Unavailable(f"rabbitmq-server did not start: {last}") from None

    def wipe(self) -> None:
        """Take every message that waits in a queue of Celery's."""
        with kombu.Connection(self.url) as connection:
            channel: Any = connection.channel()
            for queue in current_app.amqp.queues.values():
                bound = queue(channel)
                bound.declare()
                bound.purge()

    def signal(self, number: int) -> None:
        """Send a signal to the server."""
        assert self._server is not None
        os.killpg(self._server.pid, number)

    def halt(self) -> None:
        """End the server at once, as a power cut would; `start` brings it back."""
        if self._server is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait(20)
            self._server = None

    def stop(self) -> None:
        """End the server and its port mapper, and remove its folder."""
        self.halt()
        _end_port_mapper(self._mapper)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        if self._server is not None and self._server.poll() is not None:
            raise AssertionError
        with suppress(OSError), kombu.Connection(self.url, connect_timeout=2) as connection:
            connection.connect()
            return True
        return False


def _end_port_mapper(port: int) -> None:
    """End epmd, which the server starts beside itself and leaves behind; it listens on our port."""
    for process in psutil.process_iter(["name"]):
        if process.info["name"] == "epmd":
            with suppress(psutil.Error):
                if any(each.laddr.port == port for each in process.net_connections("tcp")):
                    process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
