"""Start, see and stop the embedded Redis; it outlives the process that started it."""

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import psutil
import redis

from jobsite.embedded.answer import Server, ask, connect
from jobsite.embedded.binary import find_server
from jobsite.embedded.errors import EmbeddedRedisError
from jobsite.embedded.launch import launch
from jobsite.embedded.place import Place
from jobsite.env import Environment, environment

#: Long enough to read back a large append-only file.
START_TIMEOUT = timedelta(seconds=30)
STOP_TIMEOUT = timedelta(seconds=15)
_POLL_SECONDS = 0.02


class State(StrEnum):
    """What `status` found."""

    #: REDIS_URL or BROKER_URL names a server of someone else's.
    NOT_EMBEDDED = "not embedded"
    RUNNING = "running"
    STOPPED = "stopped"
    #: Something stands in the way: see `Status.detail`.
    BLOCKED = "blocked"


@dataclass(frozen=True, kw_only=True)
class Status:
    """The embedded Redis as it stands."""

    state: State
    server: Server | None = None
    detail: str = ""


def ensure_running(
    env: Environment | None = None,
    *,
    timeout: timedelta = START_TIMEOUT,
    executable: Path | None = None,
) -> Server | None:
    """Have the embedded Redis answer, starting it unless it runs already.

    Any number of processes may call this at once: one starts the server, all get the same one.
    It is no child of theirs and goes on when they end.

    Args:
        env: the site's environment, unless it is another.
        timeout: how long to wait for another process that is starting it, and then for the answer.
        executable: the server to run, in place of what `find_server` finds.

    Returns:
        The server, or None if the environment names a server of its own: then nothing is done.

    Raises:
        EmbeddedRedisError: it cannot run; the message says why and what to do.
    """
    env = env or environment()
    if not env.embedded_redis:
        return None
    place = Place.of(env)
    if (server := ask(place)) is not None:
        return server
    place.prepare()
    with place.locked(timeout):
        if (server := ask(place)) is not None:
            return server
        return _start(place, executable or find_server(), timeout)


def status(env: Environment | None = None) -> Status:
    """Say whether the embedded Redis runs; never raises and changes nothing."""
    env = env or environment()
    if not env.embedded_redis:
        return Status(state=State.NOT_EMBEDDED)
    place = Place.of(env)
    try:
        server = ask(place)
    except EmbeddedRedisError as error:
        return Status(state=State.BLOCKED, detail=str(error))
    if server is not None:
        return Status(state=State.RUNNING, server=server)
    if (process := place.process()) is not None:
        return Status(state=State.BLOCKED, detail=_silent(place, process))
    return Status(state=State.STOPPED)


def stop(env: Environment | None = None, *, timeout: timedelta = STOP_TIMEOUT) -> bool:
    """Save the data and end the embedded Redis; return whether it was running.

    Only a process that is really this folder's server is ended.

    Raises:
        EmbeddedRedisError: another server stands on the socket, or ours did not end in time.
    """
    env = env or environment()
    place = Place.of(env)
    if not env.embedded_redis or not place.folder.is_dir():
        return False
    with place.locked(timeout):
        if (server := ask(place)) is not None:
            with connect(place) as client, suppress(redis.TimeoutError):
                client.shutdown(save=True)
            _await_end(server.pid, place, timeout)
        elif (process := place.process()) is not None:
            process.terminate()
            _await_end(process.pid, place, timeout)
        else:
            place.clear()
            return False
        place.clear()
        return True


def _start(place: Place, executable: Path, timeout: timedelta) -> Server:
    """Start the server, under the lock, and wait for its answer."""
    process = place.process()
    if process is not None and not place.socket.exists():
        # It lives and no one can reach it: someone removed the socket under it.
        _end_unreachable(process, place, timeout)
        process = None
    if process is None:
        place.clear()
        launch(place, executable)
    deadline = time.monotonic() + timeout.total_seconds()
    while time.monotonic() < deadline:
        if (server := ask(place)) is not None:
            return replace(server, started=process is None)
        if place.is_dead():
            raise _failed(place)
        time.sleep(_POLL_SECONDS)
    if (process := place.process()) is not None:
        raise EmbeddedRedisError(_silent(place, process))
    raise _failed(place)


def _await_end(pid: int, place: Place, timeout: timedelta) -> None:
    deadline = time.monotonic() + timeout.total_seconds()
    while place.process_of(pid) is not None:
        if time.monotonic() > deadline:
            raise EmbeddedRedisError(
                f"the embedded Redis (process {pid}) did not end within "
                f"{timeout.total_seconds():g} s; its log {place.log_file} says: "
                f"{place.last_log_line()}. End it with: kill -9 {pid}"
            )
        time.sleep(_POLL_SECONDS)


def _end_unreachable(process: psutil.Process, place: Place, timeout: timedelta) -> None:
    title = " ".join(process.cmdline())
    if str(place.socket) not in title:
        raise EmbeddedRedisError(
            f"the server of {place.folder} (process {process.pid}) listens on another socket than "
            f"{place.socket}: its title is {title.strip()!r}. Give all processes of the site the "
            "same JOBSITE_VAR and TMPDIR."
        )
    process.terminate()
    _await_end(process.pid, place, timeout)


def _silent(place: Place, process: psutil.Process) -> str:
    return (
        f"the embedded Redis (process {process.pid}) does not answer on {place.socket}; "
        f"its log {place.log_file} says: {place.last_log_line()}. If it is reading its data, wait; "
        f"else end it with: kill {process.pid}"
    )


def _failed(place: Place) -> EmbeddedRedisError:
    return EmbeddedRedisError(
        f"the embedded Redis did not start; its log {place.log_file} says: "
        f"{place.last_log_line() or 'nothing'}. If its data is damaged, move "
        f"{place.folder / 'appendonlydir'} away and start again: jobs are rows in the database, "
        "so none is lost; plain Celery tasks that wait in it are."
    )
