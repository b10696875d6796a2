"""What an API key looks like: `jsk_`, eight hex digits that tell which it is, and its secret."""

import re
import secrets
from dataclasses import dataclass
from hashlib import sha256

#: What every key begins with, so that people and secret scanners know one when they see it.
KEY_PREFIX = "jsk_"
_SECRET_BYTES = 32
_KEY = re.compile(r"(?P<prefix>jsk_[0-9a-f]{8})(?:_(?P<secret>[A-Za-z0-9_-]{43}))?")


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """What someone gave as a key.

    Attributes:
        prefix: no secret; it may be shown.
        whole: whether the secret was with it.
    """

    prefix: str
    whole: bool


def new_key() -> tuple[str, str]:
    """Return the prefix of a new key, and the whole of it: 256 random bits."""
    prefix = KEY_PREFIX + secrets.token_hex(4)
    return prefix, f"{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def parsed_key(text: str) -> ParsedKey | None:
    """Return what the text says of a key; None if it is neither one nor its prefix."""
    found = _KEY.fullmatch(text)
    return ParsedKey(found["prefix"], found["secret"] is not None) if found else None


def digest_of(key: str) -> str:
    """Return what is kept of a whole key: SHA-256 in hex; its random bits need no slower hash."""
    return sha256(key.encode()).hexdigest()
