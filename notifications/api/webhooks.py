"""Subscriptions to events over HTTP: who is told of what by webhooks."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from django.contrib.auth import get_user_model
from ninja import Query as InQuery
from ninja import Router, Schema, Status
from pydantic import Field

from jobs.public_api import (
    ApiRequest,
    Body,
    Order,
    Paged,
    Problem,
    Scope,
    needs,
    page,
    tenant_of,
    visible,
)
from notifications import subscriptions
from notifications.models import EventSubscription

router = Router(tags=["webhooks"], by_alias=True)
_Name = Annotated[str, Field(min_length=1, max_length=100)]
_Url = Annotated[str, Field(min_length=8, max_length=1000)]
_Events = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=50)]], Field(min_length=1, max_length=20)
]
_Types = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=100)]
_DAY = 86_400.0


class SubscriptionOut(Schema):
    """Someone who is told about events."""

    id: UUID
    name: str
    url: str = Field(description="Without what in it may be secret.", validation_alias="shown_url")
    events: list[str]
    job_types: list[str]
    tenant: str
    enabled: bool
    disabled_reason: str = Field(description="Why the site disabled it; empty if it did not.")
    created_at: datetime


class NewSubscriptionOut(SubscriptionOut):
    """A subscription with its secret, which is shown this once."""

    secret: str = Field(description="What the receiver verifies by (Standard Webhooks).")


class SubscriptionPage(Schema):
    """A page of subscriptions."""

    items: list[SubscriptionOut]
    next: str | None = Field(description="The `cursor` of the next page; null: this is the last.")


class SubscriptionIn(Body):
    """A subscription to be made."""

    name: _Name
    url: _Url = Field(description="https, and public.")
    events: _Events = Field(
        description="Names, such as `job.failed`, or beginnings and a star: `job.*`."
    )
    job_types: _Types = Field(default=[], description="Of these types alone; none: of any.")
    tenant: str | None = Field(default=None, max_length=50)


class SubscriptionChange(Body):
    """What is to be changed; what is left out stays."""

    name: _Name | None = None
    url: _Url | None = None
    events: _Events | None = None
    job_types: _Types | None = None
    enabled: Annotated[bool, Field(strict=True)] | None = None


class RotateIn(Body):
    """How the secret is replaced."""

    overlap_seconds: Annotated[float, Field(strict=True, ge=0, le=30 * _DAY)] = Field(
        default=_DAY, description="How long the old one signs as well."
    )


@router.get(
    "",
    auth=needs(Scope.READ),
    response=SubscriptionPage,
    operation_id="listWebhooks",
    summary="List subscriptions",
)
def list_webhooks(request: ApiRequest, query: InQuery[Paged]) -> dict[str, Any]:
    """Return who is told about events, the newest first."""
    rows = visible(EventSubscription.objects.all(), request.auth)
    order = Order("created_at", descending=True)
    found, following = page(rows, order, limit=query.limit, cursor=query.cursor)
    return {"items": found, "next": following}


@router.post(
    "",
    auth=needs(Scope.MANAGE),
    response={201: NewSubscriptionOut},
    operation_id="createWebhook",
    summary="Subscribe to events",
)
def create(request: ApiRequest, body: SubscriptionIn) -> Status[dict[str, Any]]:
    """Have events sent to an address, signed by a secret that is shown this once."""
    owner = get_user_model()._default_manager.filter(pk=request.auth.user_id).first()
    with _problems():
        new = subscriptions.subscribe(
            body.name,
            url=body.url,
            events=body.events,
            job_types=body.job_types,
            tenant=tenant_of(body.tenant, request.auth),
            owner=owner,
            actor=request.auth.name,
        )
    return Status(HTTPStatus.CREATED, _with_secret(new))


@router.get(
    "/{uuid:webhook_id}",
    auth=needs(Scope.READ),
    response=SubscriptionOut,
    operation_id="getWebhook",
    summary="Look at a subscription",
)
def get_one(request: ApiRequest, webhook_id: UUID) -> EventSubscription:
    """Return a subscription."""
    return visible_subscription(request, webhook_id)


@router.patch(
    "/{uuid:webhook_id}",
    auth=needs(Scope.MANAGE),
    response=SubscriptionOut,
    operation_id="changeWebhook",
    summary="Change a subscription",
)
def change(request: ApiRequest, webhook_id: UUID, body: SubscriptionChange) -> EventSubscription:
    """Change what is given; enabling one forgets why it was disabled."""
    subscription = visible_subscription(request, webhook_id)
    given = body.model_dump(exclude_none=True)
    with _problems():
        return subscriptions.change(subscription, actor=request.auth.name, **given)


@router.delete(
    "/{uuid:webhook_id}",
    auth=needs(Scope.MANAGE),
    response={204: None},
    operation_id="deleteWebhook",
    summary="Delete a subscription",
)
def delete(request: ApiRequest, webhook_id: UUID) -> Status[None]:
    """Send it nothing more, and forget what was sent."""
    subscriptions.remove(visible_subscription(request, webhook_id), actor=request.auth.name)
    return Status(HTTPStatus.NO_CONTENT, None)


@router.post(
    "/{uuid:webhook_id}/rotate",
    auth=needs(Scope.MANAGE),
    response=NewSubscriptionOut,
    operation_id="rotateWebhookSecret",
    summary="Replace the secret",
)
def rotate(request: ApiRequest, webhook_id: UUID, body: RotateIn) -> dict[str, Any]:
    """Give it a new secret, shown this once; both sign until the overlap is over."""
    overlap = timedelta(seconds=body.overlap_seconds)
    subscription = visible_subscription(request, webhook_id)
    return _with_secret(
        subscriptions.rotate(subscription, actor=request.auth.name, overlap=overlap)
    )


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except subscriptions.InvalidSubscription as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "invalid_subscription", str(error)) from None


def visible_subscription(request: ApiRequest, webhook_id: UUID) -> EventSubscription:
    """Return a subscription that the sender may see.

    Raises:
        Problem: there is none.
    """
    found = visible(EventSubscription.objects.filter(pk=webhook_id), request.auth).first()
    if found is None:
        raise nothing(f"there is no subscription {webhook_id}")
    return found


def nothing(told: str) -> Problem:
    """Return what is answered where there is none."""
    return Problem(HTTPStatus.NOT_FOUND, "webhook_not_found", told)


def _with_secret(new: subscriptions.NewSubscription) -> dict[str, Any]:
    names = ("id", "name", "events", "job_types", "tenant", "enabled", "disabled_reason",
             "created_at", "shown_url")  # fmt: skip
    return {**{each: getattr(new.subscription, each) for each in names}, "secret": new.secret}
