"""A site on which every check is healthy, and an HTTP server that plays the outside."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import Any, Self

import pytest
from aiosmtpd.controller import Controller
from celery import current_app
from django.utils import timezone
from pytest_django import Settings

from jobs import public
from jobs.models import Worker


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Outside:
    """GitHub and Slack: answers every request as `status` and `body` say, to the right token."""

    token = "right-SECRET"

    def __init__(self) -> None:
        self.status = 200
        self.body: Any = {"ok": True}
        self.seen: list[str] = []
        #: Cleared: requests wait for it.
        self.answering = threading.Event()
        self.answering.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.answering.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"


def _handler(outside: Outside) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            outside.seen.append(f"{self.command} {self.path}")
            outside.answering.wait(30)
            known = self.headers["Authorization"] == f"Bearer {outside.token}"
            body = json.dumps(outside.body).encode()
            self.send_response(outside.status if known else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler


def result_of(job_id: object) -> dict[str, Any]:
    """Return the result of a completed job."""
    job = public.get(str(job_id))
    assert job.state == "completed", job.error
    assert isinstance(job.result, dict)
    return job.result


@pytest.fixture
def outside() -> Iterator[Outside]:
    with Outside() as server:
        yield server


@pytest.fixture
def mail_port() -> Iterator[int]:
    class Handler:
        """Takes everything; no one sends anything."""

    controller = Controller(Handler(), hostname="127.0.0.1", port=free_port())
    controller.start()
    yield int(controller.port)
    controller.stop()


@pytest.fixture
def closed_port() -> int:
    return free_port()


@pytest.fixture
def broker_url(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Change where the broker is looked for."""
    return lambda url: monkeypatch.setitem(current_app.conf, "broker_url", url)


@pytest.fixture(autouse=True)
def _static_files(settings: Settings, tmp_path: Path) -> None:
    # Whitenoise warns of a folder that only `collectstatic` makes.
    settings.STATIC_ROOT = str(tmp_path)


@pytest.fixture
def healthy_site(transactional_db: None, redis_url: str, settings: Settings) -> Settings:
    """A database, a broker and a worker; no outside service is set up."""
    now = timezone.now()
    Worker.objects.create(
        name="worker@host",
        host="host",
        pid=1,
        version="1",
        started_at=now,
        seen_at=now,
        expires_at=now + timedelta(hours=1),
    )
    # Neither the machine that the tests run on nor their speed is what they are about.
    settings.MAINTENANCE = {
        "MIN_AVAILABLE_MEMORY_RATIO": 0,
        "MIN_FREE_DISK_RATIO": 0,
        "MAX_RSS_BYTES": 10**12,
        "CHECK_TIMEOUT_SECONDS": 2,
    }
    return settings
