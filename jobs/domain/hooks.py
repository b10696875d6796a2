"""Webhooks that others send: how each kind of sender signs, and what a job of one is given."""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from standardwebhooks import Webhook, WebhookVerificationError

from jobs.domain.errors import BadHook, InvalidAccess

_LONGEST_ID: Final = 150
#: What Standard Webhooks puts before a secret's base64.
_STANDARD_PREFIX: Final = "whsec_"


class HookKind(StrEnum):
    """Who sends, and so how it is signed."""

    #: HMAC-SHA256 of the body, in `X-Hub-Signature-256`.
    GITHUB = "github"
    #: The secret itself, in `X-Gitlab-Token`.
    GITLAB = "gitlab"
    #: Standard Webhooks: the id, the time and the body signed together, for five minutes.
    STANDARD = "standard"


class HookDelivery(BaseModel):
    """The parameters of a job that a webhook became.

    Attributes:
        source: the name of the `HookSource`.
        event: what happened, in the sender's words, such as `push`.
        delivery_id: the sender's id of this delivery: a repeated one is the same job.
        payload: what was sent.
    """

    model_config = ConfigDict(extra="forbid")

    source: str
    event: str
    delivery_id: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class VerifiedHook:
    """A webhook whose signature is right.

    Attributes:
        event: what happened, in the sender's words.
        delivery_id: the sender's id of this delivery.
        payload: what was sent.
    """

    event: str
    delivery_id: str
    payload: dict[str, Any]


def verified(
    kind: HookKind, *, secrets: Sequence[str], headers: Mapping[str, str], body: bytes
) -> VerifiedHook:
    """Return what a webhook says, if one of the secrets signed it.

    Args:
        kind: who is said to send it.
        secrets: those that hold now.
        headers: of the request, by names in lower case.
        body: exactly as it was received.

    Raises:
        BadHook: it is not signed, or not by any of them, or too long ago; or it is no JSON object.
    """
    check = {
        HookKind.GITHUB: _is_githubs, HookKind.GITLAB: _is_gitlabs, HookKind.STANDARD: _is_standard,
    }[kind]  # fmt: skip
    # Every secret is tried, so that how long it takes does not tell which one it was.
    signed = [check(secret, headers, body) for secret in secrets]
    if not any(signed):
        raise BadHook("the signature is missing, wrong, or too old", signed=False)
    payload = _object(body)
    names = {
        HookKind.GITHUB: ("x-github-delivery", "x-github-event"),
        HookKind.GITLAB: ("x-gitlab-event-uuid", "x-gitlab-event"),
        HookKind.STANDARD: ("webhook-id", ""),
    }[kind]
    delivery_id = headers.get(names[0], "")
    if not 0 < len(delivery_id) <= _LONGEST_ID or not delivery_id.isprintable():
        raise BadHook(f"the header {names[0]} must hold the delivery's id", signed=True)
    event = headers.get(names[1], "") if names[1] else payload.get("type", "")
    return VerifiedHook(str(event)[:200], delivery_id, payload)


def check_secret(kind: HookKind, secret: str) -> None:
    """Do nothing if webhooks of this kind can be signed by the secret.

    Raises:
        InvalidAccess: they cannot; the message does not show it.
    """
    if kind is HookKind.STANDARD:
        try:
            key = base64.b64decode(secret.removeprefix(_STANDARD_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not secret.startswith(_STANDARD_PREFIX) or not 24 <= len(key) <= 64:
            raise InvalidAccess(
                "a Standard Webhooks secret is 'whsec_' and the base64 of 24 to 64 random bytes"
            )
    elif not 16 <= len(secret) <= 200 or not secret.isprintable() or not secret.isascii():
        raise InvalidAccess(f"a {kind} secret must be 16 to 200 printable ASCII characters")


def _is_githubs(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    right = "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()
    given = headers.get("x-hub-signature-256", "")
    return hmac.compare_digest(right.encode(), given.encode())


def _is_gitlabs(secret: str, headers: Mapping[str, str], _body: bytes) -> bool:
    return hmac.compare_digest(secret.encode(), headers.get("x-gitlab-token", "").encode())


def _is_standard(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    try:
        Webhook(secret).verify(body, dict(headers))
    except (WebhookVerificationError, ValueError):
        return False
    return True


def _object(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise BadHook(
            "the body is not JSON: have it sent as application/json", signed=True
        ) from None
    if not isinstance(payload, dict):
        raise BadHook("the body must be a JSON object", signed=True)
    return payload
