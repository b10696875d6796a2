"""Where an embedded Redis lives: its folder, socket, pid file, lock and log."""

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil

from jobsite.embedded.errors import EmbeddedRedisError
from jobsite.env import Environment

_SERVERS = {"valkey-server", "redis-server"}
_LARGEST_LOG_BYTES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Place:
    """The files of one embedded Redis, of which the folder holds all but perhaps the socket."""

    folder: Path
    socket: Path

    @classmethod
    def of(cls, environment: Environment) -> "Place":
        """Return the place that the environment gives the embedded Redis."""
        folder = environment.jobsite_var.resolve() / "redis"
        return cls(folder=folder, socket=environment.redis_socket)

    @property
    def pid_file(self) -> Path:
        """The file in which the server writes its process id."""
        return self.folder / "redis.pid"

    @property
    def log_file(self) -> Path:
        """The server's own log."""
        return self.folder / "redis.log"

    def prepare(self) -> None:
        """Make the folder, for its owner alone.

        Raises:
            EmbeddedRedisError: the folder cannot be made or written.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.log_file.exists() and self.log_file.stat().st_size > _LARGEST_LOG_BYTES:
                self.log_file.replace(self.log_file.with_suffix(".log.1"))
            with self.log_file.open("a"):
                pass
        except OSError as error:
            raise self._unwritable(error) from None

    @contextmanager
    def locked(self, timeout: timedelta) -> Iterator[None]:
        """Hold the folder's lock: of all processes, one at a time starts or stops the server.

        Raises:
            EmbeddedRedisError: the folder cannot be written, or another process held the lock
                for the whole of `timeout`.
        """
        deadline = time.monotonic() + timeout.total_seconds()
        path = self.folder / "lock"
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            while not _try_lock(handle):
                if time.monotonic() > deadline:
                    raise EmbeddedRedisError(
                        f"another process has held {path} for {timeout.total_seconds():g} s: "
                        "it is starting or stopping the embedded Redis. End it and try again."
                    )
                time.sleep(0.02)
            yield
        finally:
            os.close(handle)

    def check_socket(self) -> None:
        """Refuse a path on which something else than our own socket stands.

        Raises:
            EmbeddedRedisError: a file that is no socket, or another user's socket.
        """
        try:
            found = self.socket.lstat()
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._unwritable(error) from None
        if not stat.S_ISSOCK(found.st_mode):
            raise EmbeddedRedisError(
                f"{self.socket} is not a socket: move it away, or name another folder "
                "in JOBSITE_VAR."
            )
        if found.st_uid != os.geteuid():
            raise EmbeddedRedisError(
                f"{self.socket} belongs to another user (uid {found.st_uid}): run as that user, "
                "or name another folder in JOBSITE_VAR."
            )

    def process(self) -> psutil.Process | None:
        """Return the process that the pid file names, if it is really this folder's server."""
        pid = self._recorded_pid()
        return None if pid is None else self.process_of(pid)

    def is_dead(self) -> bool:
        """Whether a server came so far as to write its process id, and is gone."""
        pid = self._recorded_pid()
        return pid is not None and self.process_of(pid) is None

    def process_of(self, pid: int) -> psutil.Process | None:
        """Return the process `pid` if it is this folder's server: by its name and its folder."""
        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE or process.name() not in _SERVERS:
                return None
            return process if Path(process.cwd()) == self.folder else None
        except (psutil.Error, ValueError):
            return None

    def clear(self) -> None:
        """Remove the socket and pid file that a dead server left."""
        try:
            self.socket.unlink(missing_ok=True)
            self.pid_file.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from None

    def last_log_line(self) -> str:
        """Return the last line of the server's log, or an empty string."""
        try:
            lines = self.log_file.read_text(errors="replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _recorded_pid(self) -> int | None:
        try:
            return int(self.pid_file.read_text())
        except (OSError, ValueError):
            return None

    def _unwritable(self, error: OSError) -> EmbeddedRedisError:
        return EmbeddedRedisError(
            f"the embedded Redis cannot keep its data in {self.folder} "
            f"({error.strerror}: {error.filename}): make the folder writable, "
            "or name another one in JOBSITE_VAR."
        )


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
