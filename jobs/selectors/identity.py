"""Who acts: the principal of an API key, or of a user."""

import hmac
from datetime import datetime
from functools import cache
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.utils import timezone

from jobs.domain.access import Principal, Role, Scope, scopes_within
from jobs.domain.api_keys import digest_of, parsed_key
from jobs.models import ApiKey, TenantMember

_NOBODY = "0" * 64
_USABLE = "SELECT {columns} FROM {table} WHERE prefix = %s AND revoked_at IS NULL"


@cache
def _statement() -> str:
    columns = ", ".join(f'"{field.column}"' for field in ApiKey._meta.concrete_fields)
    return _USABLE.format(columns=columns, table=f'"{ApiKey._meta.db_table}"')


def key_of(secret: str, *, now: datetime | None = None) -> ApiKey | None:
    """Return the row of a whole key that may be used; None if it is wrong, or has ended."""
    parsed = parsed_key(secret)
    found = usable_key(parsed.prefix, now=now) if parsed and parsed.whole else None
    # Compared either way: how long it takes says nothing of which prefixes there are.
    right = hmac.compare_digest(found.digest if found else _NOBODY, digest_of(secret))
    return found if right else None


def usable_key(prefix: str, *, now: datetime | None = None) -> ApiKey | None:
    """Return the key of that prefix, unless it has ended, or its user has."""
    # Each request asks this: a statement that need not be put together costs a third.
    key = next(iter(ApiKey.objects.raw(_statement(), [prefix])), None)
    if key is None or (key.expires_at and key.expires_at <= (now or timezone.now())):
        return None
    return key if key.user is None or key.user.is_active else None


def principal_of_key(key: ApiKey) -> Principal:
    """Return who acts with the key: no more than its role, its scopes and its user may do."""
    scopes = scopes_within(Role(key.role), key.scopes)
    if key.user is not None:
        scopes &= scopes_of_user(key.user)
    name = f"key {key.prefix} ({key.name})"
    tenant = key.tenant_id or (tenant_of_user(key.user) if key.user is not None else "")
    return Principal(
        name,
        scopes,
        user_id=key.user_id,
        key_id=key.pk,
        tenant=tenant,
        per_minute=key.submissions_per_minute,
    )


def principal_of_user(user: AbstractUser) -> Principal:
    """Return who acts with the user's session."""
    scopes, tenant = scopes_of_user(user), tenant_of_user(user)
    return Principal(user.get_username(), scopes, user_id=user.pk, tenant=tenant)


def tenant_of_user(user: Any) -> str:
    """Return the slug of the tenant whose things alone the user sees; empty: everyone's."""
    if user.pk is None:
        return ""
    found = TenantMember.objects.filter(user_id=user.pk).values_list("tenant_id", flat=True)
    return found.first() or ""


def scopes_of_user(user: Any) -> frozenset[Scope]:
    """Return what the user may do: all that its roles may, by the groups of their names."""
    if not user.is_active:
        return frozenset()
    if user.is_superuser:
        return Role.ADMIN.scopes
    names = user.groups.filter(name__in=[*Role]).values_list("name", flat=True)
    return frozenset().union(*(Role(name).scopes for name in names))
