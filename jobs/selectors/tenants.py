"""The tenants, as every submission and every take has to know them."""

import time
from dataclasses import dataclass
from typing import TypeVar

from django.core.signals import setting_changed
from django.db.models import Model, QuerySet

from jobs.domain.access import Principal
from jobs.models import Tenant

#: How old what a process knows of the tenants may be.
_KNOWN_SECONDS = 5.0
_Row = TypeVar("_Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Quota:
    """What a tenant may have at once; None: any number."""

    max_running: int | None
    max_ready: int | None


_known: dict[str, Quota] = {}
_read_at = float("-inf")


def quotas() -> dict[str, Quota]:
    """Return the quotas of each tenant by its slug, as of five seconds ago at most."""
    global _known, _read_at
    now = time.monotonic()
    if now - _read_at > _KNOWN_SECONDS:
        rows = Tenant.objects.values_list("slug", "max_running", "max_ready")
        _known = {slug: Quota(running, ready) for slug, running, ready in rows}
        _read_at = now
    return _known


def is_known(slug: str) -> bool:
    """Return whether there is such a tenant; one that was just made is known at once."""
    if slug not in quotas():
        forget()
    return slug in quotas()


def running_limits() -> dict[str, int]:
    """Return how many jobs may run at once, for those tenants that limit it."""
    return {
        slug: quota.max_running for slug, quota in quotas().items() if quota.max_running is not None
    }


def visible(rows: QuerySet[_Row], principal: Principal, *, by: str = "tenant") -> QuerySet[_Row]:
    """Return those of the rows that the principal may see.

    Args:
        rows: of anything that belongs to a tenant.
        principal: who looks.
        by: the column with the tenant's slug, such as `job__tenant`.
    """
    if not principal.tenant:
        return rows
    # The second says nothing new, but SQLite finds the partial index by it.
    return rows.filter(**{by: principal.tenant}).exclude(**{by: ""})


def forget(**_: object) -> None:
    """Read the tenants again before they are asked for."""
    global _read_at
    _read_at = float("-inf")


setting_changed.connect(forget, dispatch_uid="jobs.selectors.tenants")
