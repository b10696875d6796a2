"""Signed webhooks: a JSON body sent by POST, as Standard Webhooks specifies."""

import re
from collections.abc import Mapping

import httpx
from django.conf import settings

from notifications.channels.base import (
    Channel,
    Content,
    DeliveryError,
    Message,
    Notification,
    Receipt,
)
from notifications.channels.registry import channel
from notifications.posting import post
from notifications.redaction import redact
from notifications.rendering import Rendering
from notifications.signing import BadSecret

_LONGEST_URL = 1000
_LONGEST_HEADER = 1000
_LARGEST_PORT = 65535
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_OURS = {"host", "content-length", "content-type", "content-encoding", "expect"}
#: RFC 9110, section 7.6.1, and those that older proxies go by.
_HOP_BY_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
    "te", "trailer", "transfer-encoding", "upgrade",
}  # fmt: skip


@channel("webhook")
class WebhookChannel(Channel):
    """Posts to any http(s) address; only a 2xx answer counts as taken."""

    @classmethod
    def check_recipient(cls, recipient: str) -> str:
        """Return the address as it is."""
        shown = redact(recipient)
        if len(recipient) > _LONGEST_URL:
            raise ValueError(f"a webhook address has more than {_LONGEST_URL} characters")
        if not recipient.isascii() or any(c <= " " or c == "\x7f" for c in recipient):
            raise ValueError(f"{shown!r} must be ASCII without spaces; percent-encode the rest")
        try:
            url = httpx.URL(recipient)
            host, port = url.host, url.port
        except (httpx.InvalidURL, ValueError):
            raise ValueError(f"{shown!r} is not a URL") from None
        port_is_usable = port is None or 0 < port <= _LARGEST_PORT
        if url.scheme not in {"http", "https"} or not host or not port_is_usable:
            raise ValueError(f"{shown!r} must be http(s)://host[:port]…")
        return recipient

    @classmethod
    def check_headers(cls, headers: Mapping[str, str]) -> None:
        """Refuse what belongs to the connection, to the body or to the signature."""
        for name, value in headers.items():
            if not _TOKEN.fullmatch(name):
                raise ValueError(f"{name!r} is not a header name")
            lowered = name.lower()
            if lowered in _OURS | _HOP_BY_HOP or lowered.startswith("webhook-"):
                raise ValueError(f"header {name!r} cannot be set: Jobsite sets it itself")
            # The value may be a secret: it is not shown.
            if not (value.isascii() and value.isprintable()) or len(value) > _LONGEST_HEADER:
                raise ValueError(
                    f"the value of header {name!r} must be printable ASCII of at most "
                    f"{_LONGEST_HEADER} characters"
                )

    def compose(self, notification: Notification) -> Content:
        """Render webhook.json; without it, send the data under the template's name."""
        rendering = Rendering(notification)
        payload = rendering.structure("webhook.json")
        if payload is None:
            payload = {
                "type": notification.template,
                "timestamp": notification.timestamp.isoformat(),
                "data": notification.data,
            }
        return Content(subject=rendering.subject, payload=payload)

    def send(self, message: Message) -> Receipt:
        """Post the payload, signed for this attempt."""
        try:
            return post(
                message.recipient,
                message.content.payload,
                message_id=message.id,
                secrets=settings.WEBHOOK_SECRET,
                headers=message.headers,
            )
        except BadSecret as error:
            raise DeliveryError(str(error), permanent=True, affects_all=True) from None
