"""What a user of a tenant sees in the admin: that tenant's own, and nothing else."""

from typing import TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from jobs.selectors.identity import tenant_of_user

_Row = TypeVar("_Row", bound=Model)
_KNOWN = "_jobs_tenant"


def tenant_of(request: HttpRequest) -> str:
    """Return the slug of the tenant whose things alone the user sees; empty: everyone's."""
    known: str | None = getattr(request, _KNOWN, None)
    if known is None:
        known = tenant_of_user(request.user)
        setattr(request, _KNOWN, known)
    return known


def own(request: HttpRequest, rows: QuerySet[_Row], *, by: str | None) -> QuerySet[_Row]:
    """Return those of the rows that the user may see.

    Args:
        request: the user's.
        rows: of one model.
        by: the column with the tenant's slug; None: they belong to no tenant but to the site.
    """
    tenant = tenant_of(request)
    if not tenant:
        return rows
    return rows.none() if by is None else rows.filter(**{by: tenant}).exclude(**{by: ""})
