"""Signed webhooks: a JSON body sent by POST, as Standard Webhooks specifies."""

import asyncio
import json
import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

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
from notifications.guard import Forbidden, PublicTransport
from notifications.redaction import redact, short_error
from notifications.rendering import Rendering
from notifications.retry_after import parse_retry_after
from notifications.signing import BadSecret, sign

TIMEOUT_SECONDS = 10.0
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
#: Client errors that pass by themselves: timeout, conflict, too early, too many requests.
_TRANSIENT_CLIENT_ERRORS = {408, 409, 425, 429}


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
        body = json.dumps(message.content.payload, ensure_ascii=False, separators=(",", ":"))
        try:
            signature = sign(
                body,
                message_id=message.id,
                timestamp=datetime.now(UTC),
                secrets=settings.WEBHOOK_SECRET,
            )
        except BadSecret as error:
            raise DeliveryError(str(error), permanent=True, affects_all=True) from None
        headers = {
            "user-agent": "Jobsite-Webhooks",
            **{name.lower(): value for name, value in message.headers.items()},
            "content-type": "application/json",
            **signature,
        }
        try:
            status, retry_after = asyncio.run(_post(message.recipient, body, headers))
        except TimeoutError:
            raise DeliveryError(
                f"no answer within {TIMEOUT_SECONDS:g} s", permanent=False
            ) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            raise DeliveryError(
                short_error(f"the request cannot be made: {error}"), permanent=True
            ) from None
        except Forbidden as error:
            raise DeliveryError(
                short_error(f"the receiver may not be reached: {error}"), permanent=True
            ) from None
        except httpx.TransportError as error:
            told = str(error) or type(error).__name__
            raise DeliveryError(
                short_error(f"the receiver cannot be reached: {told}"), permanent=False
            ) from None
        if 200 <= status < 300:
            return Receipt(str(status))
        raise _refusal(status, retry_after)


async def _post(url: str, body: str, headers: dict[str, str]) -> tuple[int, str | None]:
    """Return the answer's status and Retry-After, within the time limit for all of it.

    httpx's own timeouts are for each read, so an answer that drips could hold the worker for
    ever. The answer's body is never read: it can add nothing, and could be without end.
    """
    async with (
        asyncio.timeout(TIMEOUT_SECONDS),
        httpx.AsyncClient(
            transport=PublicTransport(verify=_tls()),
            trust_env=False,
            follow_redirects=False,
            timeout=TIMEOUT_SECONDS,
        ) as client,
        client.stream("POST", url, content=body.encode(), headers=headers) as answer,
    ):
        return answer.status_code, answer.headers.get("retry-after")


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes about 20 ms, too long for each message.
    return httpx.create_ssl_context(trust_env=False)


def _refusal(status: int, retry_after: str | None) -> DeliveryError:
    """Return what an answer other than 2xx means."""
    told = f"the receiver answered {status}"
    gone = status == 410
    if gone:
        told += " (gone): it wants no more webhooks at this address"
    elif 300 <= status < 400:
        told += ": redirects are not followed; give the address it leads to"
    transient = status >= 500 or status in _TRANSIENT_CLIENT_ERRORS
    return DeliveryError(
        told,
        permanent=not transient,
        gone=gone,
        retry_after=parse_retry_after(retry_after, now=datetime.now(UTC)) if transient else None,
        answer=str(status),
    )
