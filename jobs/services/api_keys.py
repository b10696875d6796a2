"""Making, replacing and revoking API keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from jobs.domain.access import Role, role_named, scopes_within
from jobs.domain.api_keys import KEY_PREFIX, digest_of, new_key, parsed_key
from jobs.domain.errors import InvalidAccess, KeyNotFound
from jobs.models import ApiKey, Tenant
from jobs.selectors.identity import tenant_of_user
from jobs.services.audit import record

_NAME_LENGTH = 100
#: How exactly a key's last use is known: it is no write for each request.
_USE_KNOWN = timedelta(minutes=1)
LONGEST_LIFE = timedelta(days=10 * 366)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made.

    Attributes:
        key: its row.
        secret: the whole key, as programs send it. It is nowhere else, so it has to be kept now.
    """

    key: ApiKey
    secret: str


def create_key(
    name: str,
    *,
    role: Role | str,
    actor: str,
    scopes: Sequence[str] = (),
    expires_in: timedelta | None = None,
    user: Any = None,
    tenant: Tenant | None = None,
    per_minute: int | None = None,
    now: datetime | None = None,
) -> NewKey:
    """Make a key.

    Args:
        name: what it is for.
        role: what it may do: see `Role`.
        actor: who makes it, for the audit log.
        scopes: fewer than the role holds; none: all of them.
        expires_in: None: it does not expire.
        tenant: whose jobs it sees and makes; None: everyone's, or those of its user's tenant.
        per_minute: jobs that it may submit in a minute; None: the site's limit.
        user: on whose behalf it acts; it can do no more than that user, and ends with it.
        now: the moment; the present one if None.

    Raises:
        InvalidAccess: one of these cannot be as it was asked for; nothing was made.
    """
    now = now or timezone.now()
    if not isinstance(name, str) or not 0 < len(name) <= _NAME_LENGTH or not name.isprintable():
        raise InvalidAccess(
            f"a key's name must be 1 to {_NAME_LENGTH} printable characters, not {str(name)[:40]!r}"
        )
    role = role_named(role)
    chosen = sorted(scopes_within(role, list(scopes))) if scopes else []
    if expires_in is not None and not timedelta(0) < expires_in <= LONGEST_LIFE:
        raise InvalidAccess(
            f"a key can expire after at most {LONGEST_LIFE.days} days, not after {expires_in}"
        )
    if per_minute is not None and not 1 <= per_minute <= 1_000_000_000:
        raise InvalidAccess(f"a key's limit must be at least 1 job a minute, not {per_minute}")
    own = tenant_of_user(user) if user is not None else ""
    if tenant is not None and own and own != tenant.slug:
        raise InvalidAccess(
            f"{user} belongs to tenant {own}, and the key was to be {tenant.slug}'s"
        )
    prefix, secret = new_key()
    with transaction.atomic():
        key = ApiKey.objects.create(
            name=name,
            prefix=prefix,
            digest=digest_of(secret),
            role=role,
            scopes=chosen,
            user=user,
            tenant=tenant,
            submissions_per_minute=per_minute,
            created_at=now,
            created_by=actor[:200],
            expires_at=now + expires_in if expires_in else None,
        )
        record(
            actor=actor,
            action="key.create",
            target_type="apikey",
            target_id=key.pk,
            tenant=key.tenant_id or "",
            after=_told(key),
        )
    return NewKey(key, secret)


def get_key(prefix: str) -> ApiKey:
    """Return the key of that prefix; a whole key names itself as well.

    Raises:
        KeyNotFound: there is none.
    """
    known = parsed_key(prefix)
    found = ApiKey.objects.filter(prefix=known.prefix).first() if known else None
    if found is None:
        named = known.prefix if known else f"of that prefix: one is {KEY_PREFIX} and 8 hex digits"
        raise KeyNotFound(f"there is no key {named}; see `manage.py jobs keys`")
    return found


def key_with_id(key_id: int | None) -> ApiKey:
    """Return the key of that id.

    Raises:
        KeyNotFound: there is none any more.
    """
    keys = ApiKey.objects.select_related("user")
    found = keys.filter(pk=key_id).first() if key_id is not None else None
    if found is None:
        raise KeyNotFound("the key is gone")
    return found


def revoke_key(key: ApiKey, *, actor: str, now: datetime | None = None) -> bool:
    """End a key at once, and the tokens that were made with it.

    Returns:
        False if it was revoked before.
    """
    with transaction.atomic():
        changed = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(
            revoked_at=now or timezone.now()
        )
        if changed:
            record(
                actor=actor,
                action="key.revoke",
                target_type="apikey",
                target_id=key.pk,
                tenant=key.tenant_id or "",
                before=_told(key),
            )
    return bool(changed)


def rotate_key(
    key: ApiKey, *, actor: str, overlap: timedelta = timedelta(0), now: datetime | None = None
) -> NewKey:
    """Make a key that may do the same; the old one ends after the overlap.

    Raises:
        InvalidAccess: the old one has ended already.
    """
    now = now or timezone.now()
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        raise InvalidAccess(f"key {key.prefix} has ended: make a new one")
    # As long as the old one was given.
    life = key.expires_at - key.created_at if key.expires_at else None
    with transaction.atomic():
        new = create_key(
            key.name, role=key.role, actor=actor, scopes=key.scopes, expires_in=life,
            user=key.user, tenant=key.tenant, per_minute=key.submissions_per_minute, now=now,
        )  # fmt: skip
        if not overlap:
            revoke_key(key, actor=actor, now=now)
        else:
            ends = now + overlap
            if key.expires_at is None or ends < key.expires_at:
                ApiKey.objects.filter(pk=key.pk).update(expires_at=ends)
            record(
                actor=actor,
                action="key.rotate",
                target_type="apikey",
                target_id=key.pk,
                tenant=key.tenant_id or "",
                before=_told(key),
                expires_at=ends.isoformat(),
            )
    return new


def note_use(key: ApiKey, *, now: datetime | None = None) -> None:
    """Keep when the key was last used, to the minute."""
    now = now or timezone.now()
    if key.last_used_at is None or now - key.last_used_at > _USE_KNOWN:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)


def _told(key: ApiKey) -> dict[str, Any]:
    return {
        "prefix": key.prefix,
        "name": key.name,
        "role": key.role,
        "scopes": key.scopes,
        "user": str(key.user) if key.user else None,
        "tenant": key.tenant_id,
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
    }
