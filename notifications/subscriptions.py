"""Keeping subscriptions to events: made, changed, given new secrets, disabled, sent to again."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from jobs import public
from notifications.channels.webhook import WebhookChannel
from notifications.events import send, sink
from notifications.models import EventDelivery, EventSubscription
from notifications.patterns import check_patterns
from notifications.redaction import redact

_PURPOSE: Final = "event subscriptions"
_CHANGED: Final = ("name", "url", "events", "job_types", "enabled", "owner")
#: How many one call sends again.
MOST_AGAIN: Final = 1000


class InvalidSubscription(ValueError):
    """A subscription cannot be as it was asked for; the message says why."""


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """A subscription that was just made, or has a new secret.

    Attributes:
        subscription: its row.
        secret: what the receiver verifies by; it is shown this once.
    """

    subscription: EventSubscription
    secret: str


def subscribe(
    name: str,
    *,
    url: str,
    events: Sequence[str],
    actor: str,
    job_types: Sequence[str] = (),
    tenant: str = "",
    owner: Any = None,
) -> NewSubscription:
    """Have events sent to an address, as signed webhooks.

    Raises:
        InvalidSubscription: one of these cannot be used.
    """
    secret = _new_secret()
    subscription = EventSubscription(
        name=name, url=url, events=[*events], job_types=[*job_types], tenant=tenant, owner=owner,
        secret=public.seal_text(secret, _PURPOSE),
    )  # fmt: skip
    _check(subscription)
    with transaction.atomic():
        subscription.save(force_insert=True)
        _record(subscription, "subscription.create", actor, after=_told(subscription))
    sink.forget()
    return NewSubscription(subscription, secret)


def change(subscription: EventSubscription, *, actor: str, **changes: Any) -> EventSubscription:
    """Change a subscription; it holds in every process five seconds later.

    Enabling one forgets why it was disabled.

    Raises:
        InvalidSubscription: a value cannot be used.
    """
    before = _told(subscription)
    for name, value in changes.items():
        if name not in _CHANGED:
            raise InvalidSubscription(f"a subscription's {name} cannot be changed")
        setattr(subscription, name, value)
    if changes.get("enabled"):
        subscription.disabled_reason = ""
    _check(subscription)
    with transaction.atomic():
        subscription.save()
        after = _told(subscription)
        _record(subscription, "subscription.change", actor, before=before, after=after)
    sink.forget()
    return subscription


def rotate(
    subscription: EventSubscription, *, actor: str, overlap: timedelta = timedelta(days=1)
) -> NewSubscription:
    """Give it a new secret; the old one signs as well for as long as the overlap."""
    secret = _new_secret()
    with transaction.atomic():
        subscription.old_secret = subscription.secret
        subscription.old_secret_until = timezone.now() + overlap
        subscription.secret = public.seal_text(secret, _PURPOSE)
        subscription.save(update_fields=["secret", "old_secret", "old_secret_until"])
        until = subscription.old_secret_until.isoformat()
        _record(subscription, "subscription.rotate", actor, until=until)
    return NewSubscription(subscription, secret)


def remove(subscription: EventSubscription, *, actor: str) -> None:
    """Send it nothing more, and forget what was sent."""
    with transaction.atomic():
        _record(subscription, "subscription.delete", actor, before=_told(subscription))
        subscription.delete()
    sink.forget()


def disable_for(subscription: EventSubscription, why: str) -> None:
    """Disable it in Jobsite's own name, and tell its owner."""
    changed = EventSubscription.objects.filter(pk=subscription.pk, enabled=True).update(
        enabled=False, disabled_reason=why[:300]
    )
    if not changed:
        return
    _record(subscription, "subscription.disable", "Jobsite", why=why)
    sink.forget()
    if subscription.owner is not None and subscription.owner.email:
        public.submit(
            "notifications.send",
            {
                "template": "message",
                "channel": "email",
                "to": subscription.owner.email,
                "subject": f"Webhooks to {subscription.name} were stopped",
                "data": {
                    "text": f"Jobsite sends no more events to {redact(subscription.url)}: {why}. "
                    "Enable the subscription again when the receiver is well; what was not "
                    "delivered can be sent again."
                },
            },
        )


def send_again(deliveries: QuerySet[EventDelivery], *, actor: str) -> int:
    """Send deliveries again, the oldest first, under the ids that they had; return how many."""
    with transaction.atomic():
        chosen = list(deliveries.select_related("subscription").order_by("created_at")[:MOST_AGAIN])
        EventDelivery.objects.filter(pk__in=[each.pk for each in chosen]).update(
            state=EventDelivery.State.PENDING, delivered_at=None
        )
        for subscription in {each.subscription for each in chosen}:
            count = sum(each.subscription_id == subscription.pk for each in chosen)
            _record(subscription, "subscription.replay", actor, count=count)
        send(chosen, again=uuid4().hex)
    return len(chosen)


def signing_secrets(subscription: EventSubscription, now: datetime | None = None) -> str:
    """Return the secrets that sign for it now, with spaces between."""
    sealed = [subscription.secret]
    until = subscription.old_secret_until
    if subscription.old_secret and until is not None and until > (now or timezone.now()):
        sealed.append(subscription.old_secret)
    return " ".join(public.open_text(each, _PURPOSE) for each in sealed)


def _check(subscription: EventSubscription) -> None:
    name = subscription.name
    if not isinstance(name, str) or not 0 < len(name) <= 100 or not name.isprintable():
        raise InvalidSubscription(
            f"a name must be 1 to 100 printable characters, not {str(name)[:40]!r}"
        )
    others = EventSubscription.objects.filter(tenant=subscription.tenant, name=name)
    if others.exclude(pk=subscription.pk).exists():
        raise InvalidSubscription(f"there is a subscription {name!r} already")
    try:
        WebhookChannel.check_recipient(subscription.url)
        check_patterns(subscription.events)
    except ValueError as error:
        raise InvalidSubscription(str(error)) from None
    in_the_clear = subscription.url.lower().startswith("http://")
    if in_the_clear and settings.WEBHOOK_HTTPS_ONLY:
        raise InvalidSubscription(f"{redact(subscription.url)!r} must begin with https")


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _told(subscription: EventSubscription) -> dict[str, Any]:
    names = ("name", "events", "job_types", "enabled")
    told = {name: getattr(subscription, name) for name in names}
    return {**told, "url": redact(subscription.url)}


def _record(subscription: EventSubscription, action: str, actor: str, **details: Any) -> None:
    public.record_act(
        actor=actor, action=action, target_type="eventsubscription", target_id=subscription.pk,
        tenant=subscription.tenant, name=subscription.name, **details,
    )  # fmt: skip
