"""Subscriptions to events over HTTP: who is told of what by webhooks, and what became of each."""

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
    Moment,
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
from notifications.models import EventDelivery, EventSubscription

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


class EventDeliveryOut(Schema):
    """One event for one subscriber."""

    id: UUID = Field(description="The `webhook-id`: a repeat has the same.")
    event: str
    payload: dict[str, Any]
    state: EventDelivery.State
    attempts: int
    last_error: str
    answer: str
    created_at: datetime
    delivered_at: datetime | None


class EventDeliveryPage(Schema):
    """A page of deliveries."""

    items: list[EventDeliveryOut]
    next: str | None = Field(description="The `cursor` of the next page; null: this is the last.")


class DeliveryQuery(Paged):
    """What a list of deliveries takes."""

    state: EventDelivery.State | None = None
    event: Annotated[str, Field(max_length=50)] | None = None


class ReplayIn(Body):
    """Which deliveries are sent again."""

    created_after: Moment
    created_before: Moment
    failed_only: Annotated[bool, Field(strict=True)] = True


class Replayed(Schema):
    """How many are sent again."""

    count: int = Field(description=f"At most {subscriptions.MOST_AGAIN} by one request.")


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
    return _visible(request, webhook_id)


@router.patch(
    "/{uuid:webhook_id}",
    auth=needs(Scope.MANAGE),
    response=SubscriptionOut,
    operation_id="changeWebhook",
    summary="Change a subscription",
)
def change(request: ApiRequest, webhook_id: UUID, body: SubscriptionChange) -> EventSubscription:
    """Change what is given; enabling one forgets why it was disabled."""
    subscription = _visible(request, webhook_id)
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
    subscriptions.remove(_visible(request, webhook_id), actor=request.auth.name)
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
    subscription = _visible(request, webhook_id)
    return _with_secret(
        subscriptions.rotate(subscription, actor=request.auth.name, overlap=overlap)
    )


@router.get(
    "/{uuid:webhook_id}/deliveries",
    auth=needs(Scope.READ),
    response=EventDeliveryPage,
    operation_id="listWebhookDeliveries",
    summary="List what was sent",
)
def list_sent(
    request: ApiRequest, webhook_id: UUID, query: InQuery[DeliveryQuery]
) -> dict[str, Any]:
    """Return the events that were sent to it, the newest first."""
    rows = _visible(request, webhook_id).deliveries.all()
    given = {"state": query.state, "event": query.event}
    rows = rows.filter(**{name: value for name, value in given.items() if value is not None})
    order = Order("created_at", descending=True)
    found, following = page(rows, order, limit=query.limit, cursor=query.cursor)
    return {"items": found, "next": following}


@router.post(
    "/{uuid:webhook_id}/deliveries/{uuid:delivery_id}/replay",
    auth=needs(Scope.MANAGE),
    response=Replayed,
    operation_id="replayWebhookDelivery",
    summary="Send one again",
)
def replay_one(request: ApiRequest, webhook_id: UUID, delivery_id: UUID) -> dict[str, Any]:
    """Send an event again, under the id that it had."""
    found = _visible(request, webhook_id).deliveries.filter(pk=delivery_id)
    if not found.exists():
        raise _nothing(f"there is no delivery {delivery_id} of this subscription")
    return {"count": subscriptions.send_again(found, actor=request.auth.name)}


@router.post(
    "/{uuid:webhook_id}/replay",
    auth=needs(Scope.MANAGE),
    response=Replayed,
    operation_id="replayWebhook",
    summary="Send a range again",
)
def replay(request: ApiRequest, webhook_id: UUID, body: ReplayIn) -> dict[str, Any]:
    """Send the events of a span of time again, the oldest first, under the ids that they had."""
    chosen = _visible(request, webhook_id).deliveries.filter(
        created_at__gte=body.created_after, created_at__lt=body.created_before
    )
    if body.failed_only:
        chosen = chosen.filter(state=EventDelivery.State.FAILED)
    return {"count": subscriptions.send_again(chosen, actor=request.auth.name)}


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except subscriptions.InvalidSubscription as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "invalid_subscription", str(error)) from None


def _visible(request: ApiRequest, webhook_id: UUID) -> EventSubscription:
    found = visible(EventSubscription.objects.filter(pk=webhook_id), request.auth).first()
    if found is None:
        raise _nothing(f"there is no subscription {webhook_id}")
    return found


def _nothing(told: str) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, "webhook_not_found", told)


def _with_secret(new: subscriptions.NewSubscription) -> dict[str, Any]:
    names = ("id", "name", "events", "job_types", "tenant", "enabled", "disabled_reason",
             "created_at", "shown_url")  # fmt: skip
    return {**{each: getattr(new.subscription, each) for each in names}, "secret": new.secret}
