"""Digests over HTTP."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from ninja import Path, Router, Schema
from ninja import Query as InQuery
from pydantic import Field

from jobs.contrib.digests.models import Digest
from jobs.public_api import ApiRequest, Moment, Order, Paged, Problem, Scope, needs, page, visible

router = Router(tags=["digests"], by_alias=True)
routers = {"/digests": router}


class DigestOut(Schema):
    """A digest."""

    id: int
    job_id: UUID | None = Field(description="Null: the job has been removed.")
    repository: str
    source: str
    start: datetime
    end: datetime = Field(description="The first moment after the period.")
    title: str
    created_at: datetime


class WholeDigestOut(DigestOut):
    """A digest with its text."""

    data: dict[str, Any] = Field(description="Counts, groups, people and so on.")
    markdown: str
    html: str


class DigestPage(Schema):
    """A page of digests."""

    items: list[DigestOut]
    next: str | None = Field(description="The `cursor` of the next page; null: this is the last.")


class DigestQuery(Paged):
    """What a list of digests takes."""

    repository: Annotated[str, Field(max_length=500)] | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None


@router.get(
    "",
    auth=needs(Scope.READ),
    response=DigestPage,
    operation_id="listDigests",
    summary="List digests",
)
def list_digests(request: ApiRequest, query: InQuery[DigestQuery]) -> dict[str, Any]:
    """Return the digests that match, the newest first."""
    wanted = {
        "repository": query.repository,
        "created_at__gte": query.created_after,
        "created_at__lt": query.created_before,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    rows = visible(Digest.objects.filter(**given), request.auth, by="tenant")
    found, following = page(
        rows.defer("data", "markdown", "html"),
        Order("pk", descending=True),
        limit=query.limit,
        cursor=query.cursor,
    )
    return {"items": found, "next": following}


@router.get(
    "/{digest_id}",
    auth=needs(Scope.READ),
    response=WholeDigestOut,
    operation_id="getDigest",
    summary="Read a digest",
)
def get_digest(request: ApiRequest, digest_id: Annotated[int, Path(ge=1, le=2**63 - 1)]) -> Digest:
    """Return a digest with its text."""
    found = visible(Digest.objects.filter(pk=digest_id), request.auth, by="tenant").first()
    if found is None:
        told = f"there is no digest {digest_id}"
        raise Problem(HTTPStatus.NOT_FOUND, "digest_not_found", told)
    return found
