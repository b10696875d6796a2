"""One signed POST to someone else's address: sent once, to public addresses, within its time."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

import httpx

from notifications.channels.base import DeliveryError, Receipt
from notifications.guard import Forbidden, PublicTransport
from notifications.redaction import short_error
from notifications.retry_after import parse_retry_after
from notifications.signing import sign

TIMEOUT_SECONDS: Final = 10.0
#: Client errors that pass by themselves: timeout, conflict, too early, too many requests.
_TRANSIENT_CLIENT_ERRORS: Final = {408, 409, 425, 429}


def post(
    url: str, payload: Any, *, message_id: UUID, secrets: str, headers: Mapping[str, str]
) -> Receipt:
    """Post the payload as JSON, signed for this attempt (Standard Webhooks).

    Args:
        url: the receiver's address.
        payload: plain data.
        message_id: the same in every attempt.
        secrets: one secret, or several with spaces between; each signs.
        headers: beside ours.

    Returns:
        What the receiver answered: only 2xx counts as taken.

    Raises:
        BadSecret: a secret is missing or malformed.
        DeliveryError: it did not arrive.
    """
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    signature = sign(body, message_id=message_id, timestamp=datetime.now(UTC), secrets=secrets)
    sent = {
        "user-agent": "Jobsite-Webhooks",
        **{name.lower(): value for name, value in headers.items()},
        "content-type": "application/json",
        **signature,
    }
    try:
        status, retry_after = asyncio.run(_post(url, body, sent))
    except TimeoutError:
        raise DeliveryError(f"no answer within {TIMEOUT_SECONDS:g} s", permanent=False) from None
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
            transport=PublicTransport(verify=tls()),
            trust_env=False,
            follow_redirects=False,
            timeout=TIMEOUT_SECONDS,
        ) as client,
        client.stream("POST", url, content=body.encode(), headers=headers) as answer,
    ):
        return answer.status_code, answer.headers.get("retry-after")


@cache
def tls() -> ssl.SSLContext:
    """Return what connections are secured by: reading the certificates takes about 20 ms."""
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
