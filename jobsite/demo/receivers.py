"""The other side of the demo's notifications: a mailbox, a webhook receiver, a Slack stand-in."""

import json
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from jobsite.supervision.site import LOOPBACK

_HTML = "text/html; charset=utf-8"


@dataclass
class Received:
    """Everything that arrived, each list in order of arrival."""

    mails: list[EmailMessage] = field(default_factory=list)
    hooks: list[dict[str, Any]] = field(default_factory=list)
    forged_hooks: int = 0
    slack: list[dict[str, Any]] = field(default_factory=list)


class Mailbox:
    """Accepts every mail and keeps it as a file."""

    def __init__(self, received: Received, folder: Path) -> None:
        self._received = received
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Keep one mail."""
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        number = len(self._received.mails) + 1
        (self._folder / f"{number:03}.eml").write_bytes(raw)
        self._received.mails.append(message_from_bytes(raw, policy=policy.default))
        return "250 kept"


class Receivers:
    """The servers, each a thread of this process, on loopback."""

    def __init__(self, *, smtp_port: int, http_port: int, secret: str, folder: Path) -> None:
        self.received = Received()
        self.mailbox_folder = folder / "mailbox"
        self.url = f"http://{LOOPBACK}:{http_port}"
        mailbox = Mailbox(self.received, self.mailbox_folder)
        self._smtp = Controller(mailbox, hostname=LOOPBACK, port=smtp_port)
        handler = type("Handler", (_Handler,), {"received": self.received, "secret": secret})
        self._http = ThreadingHTTPServer((LOOPBACK, http_port), handler)

    def start(self) -> None:
        """Start listening."""
        self._smtp.start()
        threading.Thread(target=self._http.serve_forever, name="receiver", daemon=True).start()

    def stop(self) -> None:
        """Stop listening."""
        self._smtp.stop()
        self._http.shutdown()
        self._http.server_close()


class _Handler(BaseHTTPRequestHandler):
    received: Received
    secret: str

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/slack/api/chat.postMessage":
            self._slack(body)
        elif self.path.startswith("/slack/api/"):
            self._answer(200, b'{"ok": true}', "application/json")  # the health check's
        elif self.path == "/hook":
            self._hook(body)
        else:
            self._answer(404, b"")

    def do_GET(self) -> None:
        mails = self.received.mails
        if self.path == "/":
            self._answer(200, _index(self.received).encode(), "text/html; charset=utf-8")
        elif self.path.removeprefix("/mail/").isdigit():
            number = int(self.path.removeprefix("/mail/"))
            if 0 < number <= len(mails):
                body = mails[number - 1].get_body(("html", "plain"))
                self._answer(
                    200, body.get_content().encode() if body else b"", "text/html; charset=utf-8"
                )
                return
            self._answer(404, b"")
        else:
            self._answer(404, b"")

    def log_message(self, *args: object) -> None:
        """Print nothing."""

    def _hook(self, body: bytes) -> None:
        try:
            payload = Webhook(self.secret).verify(
                body, {k.lower(): v for k, v in self.headers.items()}
            )
        except WebhookVerificationError:
            self.received.forged_hooks += 1
            self._answer(401, b"")
            return
        self.received.hooks.append({"id": self.headers["webhook-id"], "payload": payload})
        self._answer(204, b"")

    def _slack(self, body: bytes) -> None:
        if "json" in self.headers.get("Content-Type", ""):
            sent = json.loads(body)
        else:
            sent = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        self.received.slack.append(sent)
        answer = {
            "ok": True,
            "channel": sent.get("channel", ""),
            "ts": f"{len(self.received.slack)}.0",
        }
        self._answer(200, json.dumps(answer).encode(), "application/json")

    def _answer(self, status: int, body: bytes, kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


_PAGE = """<!doctype html><meta charset="utf-8"><title>What arrived</title>
<style>body{{font:16px/1.5 system-ui;max-width:50rem;margin:2rem auto;padding:0 1rem}}
li{{margin:.5rem 0}}pre{{background:#f4f4f4;padding:.75rem;overflow:auto}}</style>
<h1>What the demo's notifications reached</h1>
<h2>Mailbox</h2><ol>{mails}</ol>
<h2>Webhooks, signatures verified</h2>{hooks}
<h2>Slack</h2>{slack}"""


def _index(received: Received) -> str:
    mails = "".join(
        f'<li><a href="/mail/{number}">{escape(str(mail["subject"]))}</a> '
        f"to {escape(str(mail['to']))}</li>"
        for number, mail in enumerate(received.mails, 1)
    )
    hooks = "".join(
        f"<pre>{escape(json.dumps(hook, indent=2)[:3000])}</pre>" for hook in received.hooks
    )
    slack = "".join(
        f"<pre>{escape(sent.get('channel', ''))}: {escape(sent.get('text', ''))}</pre>"
        for sent in received.slack
    )
    return _PAGE.format(mails=mails or "<li>nothing yet</li>", hooks=hooks, slack=slack)
