"""The processes of one peer: its submitter, which takes orders, and its workers."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import Any

from benchmarks import surroundings
from benchmarks.peers.catalogue import Command, Peer
from benchmarks.peers.installing import NotMeasured, working_folder
from jobsite.env import BASE_DIR

#: The file of a run in which its handlers write.
RECORD = "record"
_STOP_SECONDS = 15


class Processes:
    """Starts them, and ends every one that it started.

    Attributes:
        commands: the folder of the peer's own commands.
        log: what they print.
    """

    def __init__(self, peer: Peer, commands: Path, env: Mapping[str, str], log: Path) -> None:
        self.peer = peer
        self.commands = commands
        self.env = env
        self.log = log

    @contextmanager
    def submitter(self) -> Iterator["Submitter"]:
        """Run the process that submits."""
        command: Command = ("python", "-m", "benchmarks.peers.submitter", self.peer.name)
        if "node" in self.peer.needs:
            command = ("node", "submitter.js")
        with self._process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            yield Submitter(process, self.log)

    @contextmanager
    def workers(self, commands: tuple[Command, ...]) -> Iterator[None]:
        """Run its workers."""
        with ExitStack() as stack:
            for command in commands:
                stack.enter_context(self._process(command))
            yield

    @contextmanager
    def _process(
        self, command: Command, *, stdin: int = subprocess.DEVNULL, stdout: int | None = None
    ) -> Iterator[subprocess.Popen[str]]:
        words = [word.format(redis=self.env["PEERS_REDIS"]) for word in command]
        own_env = dict(word.split("=", 1) for word in takewhile(_is_assignment, words))
        first, *rest = words[len(own_env) :]
        own = self.commands / first
        with self.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - from the catalogue
                [str(own) if own.exists() else first, *rest],
                cwd=working_folder(self.peer, self.commands),
                env={**self.env, **own_env},
                text=True,
                stdin=stdin,
                stdout=log if stdout is None else stdout,
                stderr=log,
                # A group of its own: some leave children behind.
                start_new_session=True,
            )
        try:
            yield process
        finally:
            _end(process)


def _is_assignment(word: str) -> bool:
    return word.partition("=")[0].isidentifier() and "=" in word


class Submitter:
    """A process that obeys one order at a time."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log

    def order(self, do: str, **options: float) -> tuple[Any, float]:
        """Return its answer, and how many seconds it worked.

        Raises:
            NotMeasured: it failed; its last words are told.
        """
        told, heard = self._process.stdin, self._process.stdout
        if told is None or heard is None:
            raise RuntimeError("the submitter has no pipes")
        with suppress(BrokenPipeError):
            told.write(json.dumps({"do": do, **options}) + "\n")
            told.flush()
        line = heard.readline()
        if not line:
            raise NotMeasured(f"its submitter ended at {do!r}: {last_words(self._log)}")
        obeyed = json.loads(line)
        return obeyed["answer"], obeyed["seconds"]


def last_words(log: Path) -> str:
    """Return the last line that names an error, or else the last that says something."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "Error" in line]
    return (errors or lines or ["nothing was said"])[-1]


def environment(
    peer: Peer, *, variant: str, redis_url: str, database_url: str, folder: Path
) -> dict[str, str]:
    """Return what the processes of a peer find in their environment."""
    # Celery calls a socket by another scheme than Redis's own clients.
    broker_url = redis_url.replace("unix://", "redis+socket://", 1)
    base = surroundings.site(folder, database_url, broker_url) if peer.ours else os.environ
    return {
        **base,
        "REDIS_URL": redis_url,
        "PYTHONPATH": str(BASE_DIR),
        "BENCH_BROKER": broker_url,
        "PEERS_REDIS": redis_url,
        "PEERS_DATABASE": database_url,
        "PEERS_RECORD": str(folder / RECORD),
        "PEERS_VARIANT": variant,
        **peer.env,
    }


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
