"""Deliveries over HTTP: what became of each notification."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from ninja import Query as InQuery
from ninja import Router, Schema
from pydantic import Field

from jobs.public_api import ApiRequest, Moment, Order, Paged, Problem, Scope, needs, page, visible
from notifications.models import Delivery

router = Router(tags=["deliveries"], by_alias=True)


class DeliveryOut(Schema):
    """One message to one recipient."""

    id: UUID = Field(description="What the receiver tells a repeat by: Message-ID, webhook-id.")
    job_id: UUID | None = Field(description="Null: the job has been removed.")
    channel: str
    recipient: str = Field(
        validation_alias="shown_recipient", description="Without what in it may be secret."
    )
    template: str
    subject: str
    state: Delivery.State
    attempts: int
    last_error: str
    permanent: bool = Field(description="Whether trying again cannot help.")
    answer: str = Field(description="What the other side said last.")
    created_at: datetime
    delivered_at: datetime | None


class DeliveryPage(Schema):
    """A page of deliveries."""

    items: list[DeliveryOut]
    next: str | None = Field(description="The `cursor` of the next page; null: this is the last.")


class DeliveryQuery(Paged):
    """What a list of deliveries takes."""

    state: Delivery.State | None = None
    channel: Annotated[str, Field(max_length=40)] | None = None
    job_id: UUID | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None


@router.get(
    "",
    auth=needs(Scope.READ),
    response=DeliveryPage,
    operation_id="listDeliveries",
    summary="List deliveries",
)
def list_deliveries(request: ApiRequest, query: InQuery[DeliveryQuery]) -> dict[str, Any]:
    """Return the deliveries that match, the newest first."""
    wanted = {
        "state": query.state,
        "channel": query.channel,
        "job_id": query.job_id,
        "created_at__gte": query.created_after,
        "created_at__lt": query.created_before,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    found, following = page(
        visible(Delivery.objects.filter(**given), request.auth),
        Order("created_at", descending=True),
        limit=query.limit,
        cursor=query.cursor,
    )
    return {"items": found, "next": following}


@router.get(
    "/{uuid:delivery_id}",
    auth=needs(Scope.READ),
    response=DeliveryOut,
    operation_id="getDelivery",
    summary="Look at a delivery",
)
def get_delivery(request: ApiRequest, delivery_id: UUID) -> Delivery:
    """Return a delivery."""
    found = visible(Delivery.objects.filter(pk=delivery_id), request.auth).first()
    if found is None:
        told = f"there is no delivery {delivery_id}"
        raise Problem(HTTPStatus.NOT_FOUND, "delivery_not_found", told)
    return found
