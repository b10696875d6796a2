"""The only writer of deliveries; every change is a guarded update."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import F, Min
from django.utils import timezone

from jobs import JobContext
from notifications.channels.base import DeliveryError, Receipt
from notifications.models import Delivery
from notifications.parameters import SendParams
from notifications.redaction import short_error

_State = Delivery.State
#: Those that the job still has to send.
WAITING = (_State.PENDING, _State.SENDING, _State.RETRYING)


def first_due(job_id: UUID) -> datetime:
    """Return when the job first came to send, which is now if this is its first run."""
    rows = Delivery.objects.filter(job_id=job_id).order_by()
    first: datetime | None = rows.aggregate(first=Min("created_at"))["first"]
    return first or timezone.now()


def open_deliveries(
    ctx: JobContext, params: SendParams, *, subject: str, due: datetime
) -> list[Delivery]:
    """Make the rows that are missing; return those to send now, least tried first.

    That is what has neither arrived nor failed. If nothing such is left, someone has retried a
    job that had ended, and what failed is tried again.
    """
    Delivery.objects.bulk_create(
        [
            Delivery(
                id=ctx.stable_id(f"{params.channel}:{recipient}"),
                job_id=ctx.job_id,
                tenant=ctx.tenant,
                channel=params.channel,
                recipient=recipient,
                template=params.template,
                subject=subject,
                created_at=due,
            )
            for recipient in params.to
        ],
        ignore_conflicts=True,
    )
    rows = Delivery.objects.filter(job_id=ctx.job_id)
    if not rows.filter(state__in=WAITING).exists():
        rows.filter(state=_State.FAILED).update(state=_State.RETRYING, permanent=False)
    return list(rows.filter(state__in=WAITING).order_by("attempts", "recipient"))


def claim(delivery: Delivery) -> bool:
    """Count one more try and take the delivery for it; False if another run has taken it."""
    changed = Delivery.objects.filter(
        pk=delivery.pk, state=delivery.state, attempts=delivery.attempts
    ).update(state=_State.SENDING, attempts=F("attempts") + 1)
    if changed != 1:
        return False
    delivery.state = _State.SENDING
    delivery.attempts += 1
    return True


def record_delivered(delivery: Delivery, receipt: Receipt) -> None:
    """Note that a claimed delivery arrived."""
    # Not fenced by the count: that it arrived stays true whoever has claimed it since.
    Delivery.objects.filter(pk=delivery.pk).exclude(state=_State.DELIVERED).update(
        state=_State.DELIVERED,
        delivered_at=timezone.now(),
        answer=receipt.answer[:100],
        last_error="",
        permanent=False,
    )


def record_error(delivery: Delivery, error: DeliveryError) -> bool:
    """Note that a claimed delivery did not arrive; False if another run has taken it."""
    changed = Delivery.objects.filter(
        pk=delivery.pk, state=_State.SENDING, attempts=delivery.attempts
    ).update(**_outcome(error))
    return changed == 1


def record_error_for_all(deliveries: Sequence[Delivery], error: DeliveryError) -> None:
    """Note for deliveries that were not tried that they would have met the same error."""
    Delivery.objects.filter(
        pk__in=[delivery.pk for delivery in deliveries],
        state__in=(_State.PENDING, _State.RETRYING),
    ).update(attempts=F("attempts") + 1, **_outcome(error))


def give_up(job_id: UUID) -> None:
    """Note that no attempt of the job follows by itself."""
    Delivery.objects.filter(job_id=job_id, state=_State.RETRYING).update(state=_State.FAILED)


def _outcome(error: DeliveryError) -> dict[str, object]:
    return {
        "state": _State.FAILED if error.permanent else _State.RETRYING,
        "last_error": short_error(str(error)),
        "permanent": error.permanent,
        "answer": error.answer[:100],
    }
