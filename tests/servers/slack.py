"""A stand-in for the part of Slack's Web API that is used here."""

import json
from typing import Any

from tests.servers.http import Answer, HttpServer, Request


class SlackServer(HttpServer):
    """chat.postMessage as Slack answers it: by the channel that is posted to, and the token."""

    token = "xoxb-good-SECRET"

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return self._says({"ok": False, "error": "invalid_auth"})
        if request.path == "/api/auth.test":
            return self._says({"ok": True})
        target = request.json["channel"]
        if target == "#limited":
            return self.limited(seconds=30)
        if target == "#broken":
            return Answer(503, body=b"<html>upstream</html>")
        if target == "#hiccup":
            return self._says({"ok": False, "error": "internal_error"})
        if target == "#absent":
            return self._says({"ok": False, "error": "channel_not_found"})
        return self._says({"ok": True, "channel": "C1", "ts": "1700000000.000100"})

    @classmethod
    def limited(cls, *, seconds: int) -> Answer:
        """Return the answer to one who posts too often."""
        answer = cls._says({"ok": False, "error": "ratelimited"})
        answer.status, answer.headers["Retry-After"] = 429, str(seconds)
        return answer

    @staticmethod
    def _says(body: dict[str, Any]) -> Answer:
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(body).encode())
