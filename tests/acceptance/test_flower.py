"""Flower, and whoever else listens to Celery's events, sees jobs as tasks named as their types."""

import base64
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from celery import current_app

from jobs.public import submit
from jobsite.supervision.site import LOOPBACK, free_port
from tests.acceptance.conftest import Final
from tests.conftest import LiveProcess
from tests.stack import Process, Stack, eventually
from tests.stack.run import celery

USER, PASSWORD = "ada", "a pass-word"


class Flower:
    """A running Flower."""

    def __init__(self, port: int) -> None:
        self.url = f"http://{LOOPBACK}:{port}"

    def get(self, path: str, *, password: str = PASSWORD) -> tuple[int, bytes]:
        """Return the status and the body; without a password, ask as nobody."""
        request = Request(self.url + path)  # noqa: S310 - our own Flower
        if password:
            credentials = base64.b64encode(f"{USER}:{password}".encode()).decode()
            request.add_header("Authorization", f"Basic {credentials}")
        try:
            with urlopen(request, timeout=10) as answer:  # noqa: S310
                return answer.status, answer.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()

    def tasks(self) -> dict[str, Any]:
        """Return what it knows of tasks, by their ids."""
        told: dict[str, Any] = json.loads(self.get("/api/tasks")[1])
        return told

    def answers(self) -> bool:
        try:
            return self.get("/healthcheck")[0] == 200
        except OSError:
            return False


@pytest.fixture
def flower(stack: Stack, transactional_db: None, live_process: LiveProcess) -> Flower:
    port = free_port()
    flower = Flower(port)
    process = live_process(
        celery("flower", f"--address={LOOPBACK}", f"--port={port}"),
        name="flower",
        env={"FLOWER_BASIC_AUTH": f"{USER}:{PASSWORD}"},
    )
    worker = live_process(
        celery("worker", "--concurrency", "1", "-n", "watched@%h", "--task-events"), name="watched"
    )
    process.wait_for(flower.answers, 40)
    worker.wait_for("ready.", 40)
    return flower


def test_it_shows_jobs_to_those_who_may_see_them(flower: Flower, final: Final) -> None:
    completed, failed = (
        str(final(submit("sample.trouble", {"kind": kind}).job_id).pk)
        for kind in ("well", "permanent")
    )
    eventually(lambda: flower.tasks().get(failed, {}).get("state") == "FAILURE", 15)
    tasks = flower.tasks()
    assert tasks[completed]["state"] == "SUCCESS"
    assert tasks[completed]["runtime"] >= 0
    assert "PermanentError" in tasks[failed]["exception"]
    assert set(tasks) == {completed, failed}  # no doorbell
    assert {each["name"] for each in tasks.values()} == {"sample.trouble"}
    status, page = flower.get("/tasks")
    assert (status, b"<table" in page) == (200, True)
    for path in ("/", "/tasks", "/api/tasks", "/api/workers"):
        assert flower.get(path, password="")[0] == 401
        assert flower.get(path, password="guessed")[0] == 401


class Listener:
    """Keeps Celery's events, as they come."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> "Listener":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def of(self, job_id: object) -> list[str]:
        """Return the types of the events of a job."""
        return [each["type"] for each in self.seen if each.get("uuid") == str(job_id)]

    def _listen(self) -> None:
        with current_app.connection_for_read() as connection:
            receiver = current_app.events.Receiver(connection, handlers={"*": self.seen.append})
            with receiver.consumer_context() as (established, _, _):
                self._ready.set()
                while not self._stop.is_set():
                    try:
                        established.drain_events(timeout=0.2)
                    except TimeoutError:
                        continue


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as listener:
        yield listener


def test_events_are_published_once_someone_asks_for_them(
    worker: Process, listener: Listener, final: Final
) -> None:
    eventually(lambda: listener.seen)  # the worker's own heartbeats
    quiet = [final(submit("sample.echo").job_id).pk for _ in range(5)]
    current_app.control.enable_events()

    def published() -> bool:
        final(submit("sample.echo").job_id)
        return any("uuid" in each for each in listener.seen)

    try:
        eventually(published, 15)
        loud = submit("sample.echo").job_id
        eventually(lambda: "task-succeeded" in listener.of(loud))
        assert listener.of(loud) == ["task-received", "task-started", "task-succeeded"]
        assert [listener.of(each) for each in quiet] == [[]] * 5
        assert "jobs.doorbell" not in {each.get("name") for each in listener.seen}
    finally:
        current_app.control.disable_events()
