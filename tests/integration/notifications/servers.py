"""Real servers on free ports of 127.0.0.1: mail, HTTP, and one that plays Slack."""

import json
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from typing import Any, Self

from aiosmtpd.controller import Controller


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class MailServer:
    """Refuses `nobody@` for good and `busy@` for now, takes everything else."""

    def __init__(self) -> None:
        self.port = free_port()
        self.messages: list[EmailMessage] = []
        #: The addresses that are not refused any more.
        self.recovered: set[str] = set()
        self.connections = 0
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    def __enter__(self) -> Self:
        self._controller.start()
        # aiosmtpd's own first connection is how it knows that it listens.
        self.connections = 0
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address not in self.recovered:
            if address.startswith("nobody@"):
                return "550 5.1.1 no such user, see https://mail.example/?ticket=SECRET"
            if address.startswith("busy@"):
                return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        message["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        self.messages.append(message)
        return "250 OK"

    def recipients(self) -> list[str]:
        """Return who got something, in order; someone who got two, twice."""
        return [str(message["X-Envelope-To"]) for message in self.messages]


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

    def answer(self, request: Request) -> Answer:
        """Return the answer; a subclass may look at more than the path."""
        return self.answers.get(request.path.partition("?")[0], Answer(404))

    def drip(self, write: Any) -> None:
        while not self._stopped.wait(0.02):
            write(b"x")


class SlackServer(HttpServer):
    """chat.postMessage as Slack answers it: by the channel that is posted to, and the token."""

    token = "xoxb-good-SECRET"

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return self._says({"ok": False, "error": "invalid_auth"})
        target = request.json["channel"]
        if target == "#limited":
            answer = self._says({"ok": False, "error": "ratelimited"})
            answer.status, answer.headers["Retry-After"] = 429, "30"
            return answer
        if target == "#broken":
            return Answer(503, body=b"<html>upstream</html>")
        if target == "#hiccup":
            return self._says({"ok": False, "error": "internal_error"})
        if target == "#absent":
            return self._says({"ok": False, "error": "channel_not_found"})
        return self._says({"ok": True, "channel": "C1", "ts": "1700000000.000100"})

    @staticmethod
    def _says(body: dict[str, Any]) -> Answer:
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(body).encode())


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
            answer = server.answer(request)
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
