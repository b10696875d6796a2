"""The job type that sends events to those who subscribed to them."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from pydantic import BaseModel, ConfigDict

from jobs import JobContext, PermanentError, Retry, job_type
from notifications.channels.base import DeliveryError, Receipt
from notifications.events import DELIVER
from notifications.models import EventDelivery, EventSubscription
from notifications.posting import post
from notifications.redaction import short_error
from notifications.subscriptions import disable_for, signing_secrets

logger = structlog.get_logger(__name__)
_State = EventDelivery.State
#: The waits that Standard Webhooks recommends, after each attempt: some three days in all.
LADDER: Final = [
    timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2),
    timedelta(hours=5), timedelta(hours=10), timedelta(hours=14), timedelta(hours=20),
    timedelta(hours=24),
]  # fmt: skip


class DeliverParams(BaseModel):
    """Which delivery."""

    model_config = ConfigDict(extra="forbid")

    delivery: UUID


@job_type(DELIVER, max_attempts=len(LADDER) + 1, timeout=timedelta(minutes=1))
def deliver(params: DeliverParams, ctx: JobContext) -> dict[str, Any]:
    """Send one event to one subscriber, signed, until it is taken or three days have passed.

    Nothing is sent for a subscription that was disabled or removed meanwhile; the result says so.

    Raises:
        Retry: it did not arrive yet.
        PermanentError: it never will.
    """
    found = EventDelivery.objects.select_related("subscription").filter(pk=params.delivery).first()
    if found is None:
        return {"sent": False, "why": "the subscription or the delivery has been removed"}
    if found.state == _State.DELIVERED:
        return {"answer": found.answer, "already": True}
    if not found.subscription.enabled:
        return _leave(found, "the subscription is disabled")
    EventDelivery.objects.filter(pk=found.pk).update(
        state=_State.PENDING, attempts=F("attempts") + 1
    )
    try:
        receipt = post(
            found.subscription.url,
            found.payload,
            message_id=found.pk,
            secrets=signing_secrets(found.subscription),
            headers={},
        )
    except DeliveryError as error:
        return _refused(found, error, ctx)
    return _taken(found, receipt)


def _taken(delivery: EventDelivery, receipt: Receipt) -> dict[str, Any]:
    EventDelivery.objects.filter(pk=delivery.pk).update(
        state=_State.DELIVERED, delivered_at=timezone.now(), answer=receipt.answer, last_error=""
    )
    return {"answer": receipt.answer}


def _refused(delivery: EventDelivery, error: DeliveryError, ctx: JobContext) -> dict[str, Any]:
    told = short_error(str(error))
    last = ctx.attempt >= ctx.max_attempts
    over = error.permanent or last
    with transaction.atomic():
        EventDelivery.objects.filter(pk=delivery.pk).update(
            state=_State.FAILED if over else _State.PENDING,
            last_error=told,
            answer=error.answer[:10],
        )
        if error.gone:
            disable_for(delivery.subscription, told)
        elif last and not _took_any(delivery.subscription, since=delivery):
            disable_for(delivery.subscription, f"nothing arrived for three days: {told}")
    logger.warning("event_not_delivered", delivery=str(delivery.pk), error=told, permanent=over)
    if over:
        raise PermanentError(told)
    wait = LADDER[min(ctx.attempt, len(LADDER)) - 1]
    raise Retry(told, after=max(wait, error.retry_after or timedelta(0)))


def _took_any(subscription: EventSubscription, *, since: EventDelivery) -> bool:
    """Return whether the subscriber has taken anything since a delivery was made."""
    return subscription.deliveries.filter(delivered_at__gt=since.created_at).exists()


def _leave(delivery: EventDelivery, why: str) -> dict[str, Any]:
    """Leave it, to be sent again: nobody failed, so its job must not end among the dead letters."""
    EventDelivery.objects.filter(pk=delivery.pk).update(state=_State.FAILED, last_error=why)
    return {"sent": False, "why": why}
