"""The job type that sends notifications."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from jobs import Backoff, JobContext, PermanentError, Retry, Snooze, job_type, public
from notifications import deliveries
from notifications.channels.base import Channel, Content, DeliveryError, Message, Notification
from notifications.channels.registry import find_channel
from notifications.event_delivery import deliver
from notifications.models import Delivery
from notifications.parameters import SendParams
from notifications.redaction import redact, short_error

__all__ = ["deliver", "send"]
logger = structlog.get_logger(__name__)

#: With less time than this left of the attempt, the next message is left for another one.
TIME_FOR_ONE = timedelta(seconds=15)


@dataclass(slots=True)
class _Tally:
    """What happened in this run."""

    delivered: int = 0
    errors: list[DeliveryError] = field(default_factory=list)

    def longest_wait(self) -> timedelta | None:
        """Return the longest wait that a receiver asked for, if one did."""
        return max((e.retry_after for e in self.errors if e.retry_after is not None), default=None)


@job_type(
    "notifications.send",
    # Waits of 2 s to a minute, five to ten minutes in all: longer than a mail server's restart.
    max_attempts=15,
    backoff=Backoff.exponential(cap=timedelta(minutes=1), jitter="equal"),
)
def send(params: SendParams, ctx: JobContext) -> dict[str, Any]:
    """Send a notification from a template by email, Slack or signed webhook.

    Each recipient is a delivery of its own; one that arrived is not sent again by a retry. Only a
    crash between sending and recording leads to a repeat, which carries the same id. For each
    recipient who wants no more messages, the job type `when_gone` is submitted.

    Raises:
        Retry: some did not arrive yet.
        PermanentError: some will never arrive, and the others have.
        Snooze: the attempt's time is over before each recipient had a try.
    """
    due = deliveries.first_due(ctx.job_id)
    with find_channel(params.channel)() as channel:
        content = channel.compose(
            Notification(
                template=params.template,
                subject=params.subject or "",
                data=params.data,
                timestamp=due,
            )
        )
        waiting = deliveries.open_deliveries(ctx, params, subject=content.subject, due=due)
        tally = _send_all(waiting, content, params, ctx, channel)
    return _conclude(params, ctx, tally)


def _send_all(
    waiting: Sequence[Delivery],
    content: Content,
    params: SendParams,
    ctx: JobContext,
    channel: Channel,
) -> _Tally:
    tally = _Tally()
    for position, delivery in enumerate(waiting):
        if position and _time_is_over(ctx):
            break
        if not deliveries.claim(delivery):
            continue
        message = Message(
            id=delivery.pk, recipient=delivery.recipient, content=content, headers=params.headers
        )
        try:
            receipt = channel.send(message)
        except DeliveryError as error:
            _record_error(delivery, error, params, ctx)
            tally.errors.append(error)
            _report(delivery, error, ctx)
            if error.affects_all:
                deliveries.record_error_for_all(waiting[position + 1 :], error)
                break
        else:
            deliveries.record_delivered(delivery, receipt)
            tally.delivered += 1
            logger.info("notification_delivered", **_fields(delivery), answer=receipt.answer)
        ctx.progress(100 * (position + 1) / len(waiting))
    return tally


def _record_error(
    delivery: Delivery, error: DeliveryError, params: SendParams, ctx: JobContext
) -> None:
    # Together: a crash in between would leave a refusal that its sender never hears of.
    with transaction.atomic():
        if deliveries.record_error(delivery, error) and error.gone and params.when_gone:
            _submit_when_gone(params.when_gone, delivery, error, ctx)


def _submit_when_gone(
    job_type: str, delivery: Delivery, error: DeliveryError, ctx: JobContext
) -> None:
    told = {
        "channel": delivery.channel,
        "recipient": delivery.recipient,
        "reason": short_error(str(error)),
    }
    try:
        ctx.submit(job_type, told)
    except (public.QueueFull, public.QuotaExceeded):
        raise  # there is room later: the refusal is not recorded, and the next run meets it again
    except public.SubmissionError as refused:
        # What becomes of the notification does not depend on it.
        ctx.log(f"{job_type} was not submitted: {short_error(str(refused))}", level=logging.WARNING)


def _time_is_over(ctx: JobContext) -> bool:
    return ctx.deadline is not None and ctx.deadline - timezone.now() < TIME_FOR_ONE


def _conclude(params: SendParams, ctx: JobContext, tally: _Tally) -> dict[str, Any]:
    """Return the result, or raise what the deliveries as a whole ask for."""
    rows = Delivery.objects.filter(job_id=ctx.job_id).order_by()
    counts = dict(rows.values_list("state").annotate(Count("pk")))
    total, waiting = len(params.to), sum(counts.get(state, 0) for state in deliveries.WAITING)
    if rows.filter(state=Delivery.State.PENDING).exists():
        raise Snooze(timedelta(0), f"{waiting} of {total} recipients are left for the next run")
    told = f": {short_error(str(tally.errors[-1]))}" if tally.errors else ""
    if waiting:
        if ctx.attempt >= ctx.max_attempts:
            deliveries.give_up(ctx.job_id)
        raise Retry(
            f"{waiting} of {total} recipients could not be reached (not permanent){told}",
            after=tally.longest_wait(),
        )
    if failed := counts.get(Delivery.State.FAILED, 0):
        raise PermanentError(f"{failed} of {total} recipients refused for good (permanent){told}")
    return {"delivered": tally.delivered, "failed": 0, "skipped": total - tally.delivered}


def _report(delivery: Delivery, error: DeliveryError, ctx: JobContext) -> None:
    told = short_error(str(error))
    logger.warning(
        "notification_failed", **_fields(delivery), error=told, permanent=error.permanent
    )
    ctx.log(
        f"{redact(delivery.recipient)} did not get it: {told}",
        level=logging.WARNING,
        template=delivery.template,
        to=redact(delivery.recipient),
        permanent=error.permanent,
    )


def _fields(delivery: Delivery) -> dict[str, str]:
    return {
        "template": delivery.template,
        "channel": delivery.channel,
        "to": redact(delivery.recipient),
    }
