"""Events become webhooks: one delivery for each who wants it, stored with what it tells of."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from jobs import public
from notifications.models import EventDelivery, EventSubscription
from notifications.patterns import matches

#: The job type that sends them; what happens to its own jobs is told to nobody.
DELIVER: Final = "notifications.deliver_event"
#: How old what a process knows of the subscriptions may be.
_KNOWN_SECONDS: Final = 5.0
#: When those are sent for which the queue has no room.
_LATER: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a subscription wants."""

    subscription_id: UUID
    events: tuple[str, ...]
    job_types: frozenset[str]
    tenant: str

    def wants(self, event: public.Event) -> bool:
        return (
            (not self.tenant or self.tenant == event.tenant)
            and (not self.job_types or event.job_type in self.job_types)
            and matches(event.name, self.events)
        )


class WebhookSink:
    """Takes events of this process for those who subscribed to them."""

    def __init__(self) -> None:
        self._wishes: list[_Wish] = []
        self._read_at = float("-inf")

    def wants(self) -> bool:
        """Return whether anyone subscribed to anything."""
        now = time.monotonic()
        if now - self._read_at > _KNOWN_SECONDS:
            self._read_at = now  # those who come meanwhile need not read as well
            rows = EventSubscription.objects.filter(enabled=True)
            self._wishes = [
                _Wish(each.pk, tuple(each.events), frozenset(each.job_types), each.tenant)
                for each in rows
            ]
        return bool(self._wishes)

    def take(self, events: Sequence[public.Event]) -> None:
        """Store a delivery for each event and each who wants it, and the job that sends it."""
        made = [
            EventDelivery(
                subscription_id=wish.subscription_id,
                event=str(event.name),
                payload=payload_of(event),
                created_at=event.at,
            )
            for event in events
            if event.job_type != DELIVER
            for wish in self._wishes
            if wish.wants(event)
        ]
        if made:
            EventDelivery.objects.bulk_create(made)
            send(made)

    def forget(self) -> None:
        """Read the subscriptions again before they are asked for."""
        self._read_at = float("-inf")


sink = WebhookSink()


def payload_of(event: public.Event) -> dict[str, Any]:
    """Return what is sent of an event, in the form that Standard Webhooks recommends."""
    told = event.as_json()
    return {"type": told.pop("event"), "timestamp": told.pop("at"), "data": told}


def send(deliveries: Sequence[EventDelivery], *, again: str = "") -> None:
    """Submit the jobs that send these deliveries.

    Args:
        deliveries: stored ones.
        again: what tells this sending from the one before; empty for the first.
    """
    refused = public.submit_many(_job_of(each, again) for each in deliveries).errors
    # Only a full queue refuses them, and nothing for later: so they wait, and none is lost.
    public.submit_many(_job_of(deliveries[place], again, delay=_LATER) for place in refused)


def _job_of(
    delivery: EventDelivery, again: str, *, delay: timedelta | None = None
) -> public.NewJob:
    return public.NewJob(
        DELIVER,
        {"delivery": str(delivery.pk)},
        {"idempotency_key": f"{delivery.pk}:{again}", "event_id": None, "delay": delay},
    )
