"""Signs webhooks, and verifies them, by the Standard Webhooks specification."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from standardwebhooks import Webhook, WebhookVerificationError

_PREFIX = "whsec_"
_REMEDY = (
    "set WEBHOOK_SECRET to 'whsec_' and the base64 of 24 to 64 random bytes "
    "(two of them, with a space between, while one replaces the other)"
)


class BadSecret(ValueError):
    """The secret cannot be used; the message says what to do and never shows it."""


def _signers(secrets: str) -> list[Webhook]:
    if not secrets.split():
        raise BadSecret(f"there is no webhook secret; {_REMEDY}")
    signers = []
    for secret in secrets.split():
        encoded = secret.removeprefix(_PREFIX)
        try:
            key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not key or not secret.startswith(_PREFIX):
            raise BadSecret(f"the webhook secret is not in the right form; {_REMEDY}")
        signers.append(Webhook(key))
    return signers


def sign(body: str, *, message_id: UUID, timestamp: datetime, secrets: str) -> dict[str, str]:
    """Return the three headers that go with the body.

    Args:
        body: the exact text that is sent.
        message_id: the same in every attempt.
        timestamp: of this attempt, aware and in UTC.
        secrets: one secret, or several with spaces between; each signs.

    Raises:
        BadSecret: a secret is missing or malformed.
    """
    return {
        "webhook-id": str(message_id),
        "webhook-timestamp": str(int(timestamp.timestamp())),
        "webhook-signature": " ".join(
            signer.sign(str(message_id), timestamp, body) for signer in _signers(secrets)
        ),
    }


def verify(body: bytes, headers: Mapping[str, str], *, secrets: str) -> Any:
    """Return the body's JSON if one of the secrets signed it within the last five minutes.

    Raises:
        BadSecret: a secret is missing or malformed.
        WebhookVerificationError: the signature is missing, wrong, too old or too new.
    """
    error = WebhookVerificationError("No matching signature found")
    for signer in _signers(secrets):
        try:
            return signer.verify(body, dict(headers))
        except WebhookVerificationError as refused:
            error = refused
    raise error
