"""Tokens: what a key's program hands on, for a few minutes, instead of the key (RFC 7519)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import jwt
from django.utils.crypto import salted_hmac

from jobs.domain.access import Principal, Scope
from jobs.models import ApiKey
from jobs.selectors.identity import principal_of_key, usable_key

LIFE: Final = timedelta(minutes=10)
#: The one algorithm: whatever a token's own header says, nothing else is tried.
_ALGORITHM: Final = "HS256"
_ISSUER: Final = "jobsite"
_AUDIENCE: Final = "jobsite-api"


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was just made.

    Attributes:
        text: as programs send it.
        scopes: what it may do.
        expires_at: when it ends; sooner if its key does.
    """

    text: str
    scopes: frozenset[Scope]
    expires_at: datetime


def make_token(key: ApiKey, scopes: Iterable[Scope] = (), *, now: datetime | None = None) -> Token:
    """Return a token that may do no more than the key, and no longer than ten minutes.

    Args:
        key: one that may be used.
        scopes: fewer than the key's; none: all of them.
        now: the moment; the present one if None.
    """
    now = now or datetime.now(UTC)
    held = principal_of_key(key).scopes
    chosen = (frozenset(scopes) & held) or held
    claims = {
        "iss": _ISSUER,
        "aud": _AUDIENCE,
        "sub": key.prefix,
        "iat": now,
        "exp": now + LIFE,
        "scopes": sorted(chosen),
    }
    return Token(jwt.encode(claims, _secret(), algorithm=_ALGORITHM), chosen, now + LIFE)


def principal_of_token(text: str) -> Principal | None:
    """Return who acts with the token; None if it is wrong or has ended, or its key has."""
    try:
        claims = jwt.decode(
            text,
            _secret(),
            algorithms=[_ALGORITHM],
            issuer=_ISSUER,
            audience=_AUDIENCE,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
        lasts = timedelta(seconds=claims["exp"] - claims["iat"])
        scopes = frozenset(Scope(each) for each in claims["scopes"])
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
        return None
    key = usable_key(claims["sub"]) if lasts <= LIFE else None
    if key is None:
        return None
    principal = principal_of_key(key)
    return replace(principal, scopes=principal.scopes & scopes, name=f"token of {principal.name}")


def _secret() -> bytes:
    """Return the key that signs: derived from SECRET_KEY, and used for nothing else."""
    return salted_hmac("jobs.tokens", "HS256", algorithm="sha256").digest()
