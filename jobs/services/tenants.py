"""Making and changing tenants, and saying who belongs to them."""

import re
from typing import Any

from django.db import transaction

from jobs.domain.errors import InvalidAccess, TenantNotFound
from jobs.models import Tenant, TenantMember
from jobs.models.tenant import SLUG
from jobs.selectors.tenants import forget
from jobs.services.audit import record

_SLUG = re.compile(SLUG)
_QUOTAS = ("max_running", "max_ready")


def create_tenant(
    slug: str,
    *,
    actor: str,
    name: str = "",
    max_running: int | None = None,
    max_ready: int | None = None,
) -> Tenant:
    """Make a tenant.

    Args:
        slug: what its jobs name it by; it never changes.
        actor: who makes it, for the audit log.
        name: for people; the slug if empty.
        max_running: jobs of it that run at once; None: any number.
        max_ready: jobs of it that wait, ready; None: any number.

    Raises:
        InvalidAccess: the slug is taken, or one of these cannot be used.
    """
    if not isinstance(slug, str) or not _SLUG.fullmatch(slug):
        raise InvalidAccess(
            f"a tenant's slug is at most 50 lower-case letters, digits and dashes, and begins with "
            f"a letter; not {str(slug)[:60]!r}"
        )
    if Tenant.objects.filter(slug=slug).exists():
        raise InvalidAccess(f"there is a tenant {slug} already")
    tenant = Tenant(slug=slug, name=name or slug, max_running=max_running, max_ready=max_ready)
    _check(tenant)
    with transaction.atomic():
        tenant.save(force_insert=True)
        _record(actor, "tenant.create", tenant, after=_told(tenant))
    forget()
    return tenant


def change_tenant(tenant: Tenant, *, actor: str, **changes: Any) -> Tenant:
    """Change a tenant's name or quotas; they hold in every process five seconds later.

    Raises:
        InvalidAccess: a value cannot be used.
    """
    before = _told(tenant)
    for name, value in changes.items():
        if name not in {"name", *_QUOTAS}:
            raise InvalidAccess(f"a tenant's {name} cannot be changed")
        setattr(tenant, name, value)
    _check(tenant)
    with transaction.atomic():
        tenant.save(update_fields=["name", *_QUOTAS])
        _record(actor, "tenant.change", tenant, before=before, after=_told(tenant))
    forget()
    return tenant


def get_tenant(slug: str) -> Tenant:
    """Return the tenant of that slug.

    Raises:
        TenantNotFound: there is none; the message lists some.
    """
    found = Tenant.objects.filter(slug=slug).first()
    if found is None:
        some = ", ".join(Tenant.objects.order_by("slug").values_list("slug", flat=True)[:10])
        raise TenantNotFound(f"there is no tenant {str(slug)[:60]!r}; there are: {some or 'none'}")
    return found


def put_member(user: Any, tenant: Tenant | None, *, actor: str) -> None:
    """Have a user see what belongs to this tenant alone; None: everything, as its roles allow."""
    with transaction.atomic():
        before = TenantMember.objects.filter(user=user).values_list("tenant_id", flat=True).first()
        TenantMember.objects.filter(user=user).delete()
        if tenant is not None:
            TenantMember.objects.create(user=user, tenant=tenant)
        record(
            actor=actor,
            action="tenant.member",
            target_type="user",
            target_id=user.pk,
            before=before,
            after=tenant.slug if tenant else None,
        )


def _check(tenant: Tenant) -> None:
    for name in _QUOTAS:
        value = getattr(tenant, name)
        if value is not None and (not isinstance(value, int) or not 1 <= value <= 1_000_000_000):
            raise InvalidAccess(f"{name} of tenant {tenant.slug} must be at least 1, not {value!r}")
    if not 0 < len(tenant.name) <= 100 or not tenant.name.isprintable():
        raise InvalidAccess(
            f"the name of tenant {tenant.slug} must be 1 to 100 printable characters"
        )


def _record(actor: str, action: str, tenant: Tenant, **details: Any) -> None:
    record(
        actor=actor, action=action, target_type="tenant", target_id=tenant.slug, tenant=tenant.slug,
        **details,
    )  # fmt: skip


def _told(tenant: Tenant) -> dict[str, Any]:
    return {name: getattr(tenant, name) for name in ("name", *_QUOTAS)}
