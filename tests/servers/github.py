"""A stand-in for GitHub's REST API: recorded answers, pages, entity tags and refusals."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

#: How the server answers a request instead of its recorded answer: status, headers, body.
Refusal = tuple[int, dict[str, str], dict[str, Any]]
Query = dict[str, str]


@dataclass
class Request:
    path: str
    query: Query
    headers: dict[str, str]
    status: int = 0


@dataclass
class GitHubServer:
    """Recorded answers by path; a list is answered in pages, filtered as GitHub filters."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    refuse: Callable[[Request], Refusal | None] = lambda _request: None
    page_size: int = 100

    def answer(self, request: Request) -> Refusal | tuple[int, dict[str, str], Any]:
        if refusal := self.refuse(request):
            return refusal
        if request.path not in self.answers:
            return 404, {}, {"message": "Not Found", "status": "404"}
        body = self.answers[request.path]
        headers = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "4999"}
        if isinstance(body, list):
            found = [each for each in body if _asked_for(request, each)]
            body, links = self._page(request, found)
            headers |= links
        tag = f'W/"{hashlib.sha256(json.dumps(body).encode()).hexdigest()}"'
        headers |= {
            "ETag": tag,
            "Cache-Control": "private, max-age=60, s-maxage=60",
            "Vary": "Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept",
        }
        if request.headers.get("if-none-match") == tag:
            return 304, headers, None
        return 200, headers, body

    def _page(self, request: Request, found: list[Any]) -> tuple[list[Any], dict[str, str]]:
        size = min(int(request.query.get("per_page", 30)), self.page_size)
        page = int(request.query.get("page", 1))
        if page * size >= len(found):
            return found[(page - 1) * size :], {}
        query = urlencode({**request.query, "page": page + 1})
        link = f'<{self.url}{request.path}?{query}>; rel="next"'
        return found[(page - 1) * size : page * size], {"Link": link}


def _asked_for(request: Request, entry: dict[str, Any]) -> bool:
    query = request.query
    if request.path.endswith("/pulls"):
        return bool(entry["state"] == query.get("state", "open"))
    if request.path.endswith("/issues"):
        return _moment(entry["updated_at"]) >= _moment(query["since"])
    if request.path.endswith("/commits"):
        at = _moment(entry["commit"]["committer"]["date"])
        login = (entry["author"] or {}).get("login")
        return (
            ("since" not in query or at >= _moment(query["since"]))
            and ("until" not in query or at <= _moment(query["until"]))
            and ("author" not in query or login == query["author"])
        )
    return True


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@contextmanager
def github_server() -> Iterator[GitHubServer]:
    """Run the server on a free port until the block ends."""
    state = GitHubServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(parts.path, query, headers)
            status, extra, body = state.answer(request)
            request.status = status
            state.requests.append(request)
            content = b"" if status == 304 else json.dumps(body).encode()
            self.send_response(status)
            for name, value in extra.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        state.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
