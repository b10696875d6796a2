"""An HTTP server that answers as it is told to and keeps what arrived."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass
class Request:
    """What arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    """What a path answers."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    #: Send one byte of the headers after the other, for ever.
    drips: bool = False


class HttpServer:
    """Answers each path as `answers` says, 404 for any other, and keeps what arrived."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        #: What a path answers first, each once, before it answers as it always does.
        self.first: dict[str, list[Answer]] = {}
        self.requests: list[Request] = []
        self._stopped = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def url(self, path: str = "/ok") -> str:
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def next_answer(self, request: Request) -> Answer:
        first = self.first.get(request.path)
        return first.pop(0) if first else self.answer(request)

    def answer(self, request: Request) -> Answer:
        """Return the usual answer; a subclass may look at more than the path."""
        return self.answers.get(request.path.partition("?")[0], Answer(404))

    def drip(self, write: Any) -> None:
        while not self._stopped.wait(0.02):
            write(b"x")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is what some tests want."""


def _handler(server: HttpServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.path, headers, body)
            server.requests.append(request)
            answer = server.next_answer(request)
            if answer.drips:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
                server.drip(self.wfile.write)
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def do_GET(self) -> None:
            server.requests.append(Request(self.path, {}, b""))
            self.send_error(405)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Say nothing."""

    return Handler
