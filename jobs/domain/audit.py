"""The chain that audit entries form."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any


def plain(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return the details as they will be read again from the database."""
    told: dict[str, Any] = json.loads(json.dumps(details, default=str))
    return told


def text_of(entry: Mapping[str, Any]) -> str:
    """Return all that an entry says, as its digest covers it.

    Args:
        entry: its fields; the same, in whatever order, give the same text.
    """
    return json.dumps(_same(entry), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest_of(before: str, text: str) -> str:
    """Return an entry's digest: SHA-256 in hex over the digest before it, a new line and its text.

    Args:
        before: the digest of the entry before; empty for the first.
        text: what the entry says.
    """
    return sha256(f"{before}\n{text}".encode()).hexdigest()


def _same(value: Any) -> Any:
    """Return the value as it is on every database: moments in UTC, whole numbers without a dot."""
    if isinstance(value, Mapping):
        return {key: _same(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_same(each) for each in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
