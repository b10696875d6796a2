"""What was sent to a subscriber, over HTTP, and sending it again."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Path as InPath
from ninja import Query as InQuery
from ninja import Router, Schema
from pydantic import Field

from jobs.public_api import ApiRequest, Body, Moment, Order, Paged, Scope, needs, page
from notifications import subscriptions
from notifications.api.webhooks import nothing, visible_subscription
from notifications.models import EventDelivery

router = Router(tags=["webhooks"], by_alias=True)


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
    "/deliveries",
    auth=needs(Scope.READ),
    response=EventDeliveryPage,
    operation_id="listWebhookDeliveries",
    summary="List what was sent",
)
def list_sent(
    request: ApiRequest, webhook_id: InPath[UUID], query: InQuery[DeliveryQuery]
) -> dict[str, Any]:
    """Return the events that were sent to it, the newest first."""
    rows = visible_subscription(request, webhook_id).deliveries.all()
    given = {"state": query.state, "event": query.event}
    rows = rows.filter(**{name: value for name, value in given.items() if value is not None})
    order = Order("created_at", descending=True)
    found, following = page(rows, order, limit=query.limit, cursor=query.cursor)
    return {"items": found, "next": following}


@router.post(
    "/deliveries/{uuid:delivery_id}/replay",
    auth=needs(Scope.MANAGE),
    response=Replayed,
    operation_id="replayWebhookDelivery",
    summary="Send one again",
)
def replay_one(request: ApiRequest, webhook_id: InPath[UUID], delivery_id: UUID) -> dict[str, Any]:
    """Send an event again, under the id that it had."""
    found = visible_subscription(request, webhook_id).deliveries.filter(pk=delivery_id)
    if not found.exists():
        raise nothing(f"there is no delivery {delivery_id} of this subscription")
    return {"count": subscriptions.send_again(found, actor=request.auth.name)}


@router.post(
    "/replay",
    auth=needs(Scope.MANAGE),
    response=Replayed,
    operation_id="replayWebhook",
    summary="Send a range again",
)
def replay(request: ApiRequest, webhook_id: InPath[UUID], body: ReplayIn) -> dict[str, Any]:
    """Send the events of a span of time again, the oldest first, under the ids that they had."""
    chosen = visible_subscription(request, webhook_id).deliveries.filter(
        created_at__gte=body.created_after, created_at__lt=body.created_before
    )
    if body.failed_only:
        chosen = chosen.filter(state=EventDelivery.State.FAILED)
    return {"count": subscriptions.send_again(chosen, actor=request.auth.name)}
