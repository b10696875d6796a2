"""Telling the subscribers of a repository about a new digest."""

import json
import logging
from collections.abc import Iterable
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Q

from jobs import JobContext, public
from jobs.contrib.digests.models import Digest, DigestSubscription
from jobs.contrib.digests.rendering import to_html
from jobs.contrib.digests.shortening import shorter_versions

logger = structlog.get_logger(__name__)

#: Of a notification's data as JSON. `JOBS["MAX_PARAMS_BYTES"]`, 256 KiB unless it is set, has to
#: hold it and the address.
MOST_BYTES = 192 * 1024


def subscriptions_of(digest: Digest, *, asked_for: str) -> list[DigestSubscription]:
    """Return the enabled subscriptions, one for each recipient on a channel.

    A repository may have been subscribed to by its canonical name or as the job named it; GitHub
    does not tell letter cases apart.
    """
    names = Q(repository__in=[digest.repository, asked_for])
    if digest.source == Digest.Source.GITHUB:
        names |= Q(repository__iexact=digest.repository)
        names |= Q(repository__iexact=f"github:{digest.repository}")
    enabled = DigestSubscription.objects.filter(enabled=True, tenant=digest.tenant)
    found = enabled.filter(names).order_by("-pk")
    return list({(each.channel, each.recipient): each for each in found}.values())[::-1]


def notify(digest: Digest, subscriptions: Iterable[DigestSubscription], ctx: JobContext) -> int:
    """Submit one notification for each subscription and return how many were accepted.

    Each has an idempotency key of its own, so that a retried job tells no one twice.
    """
    data = _notification(digest)
    count = 0
    for subscription in subscriptions:
        params = {
            "template": "digest",
            "channel": subscription.channel,
            "to": subscription.recipient,
            "data": data,
            "when_gone": "digests.unsubscribe",
        }
        key = str(ctx.stable_id(f"notify:{subscription.pk}"))
        try:
            ctx.submit("notifications.send", params, idempotency_key=key)
        except (public.QueueFull, public.QuotaExceeded):
            raise  # there is room later: the job is retried, and its keys tell no one twice
        except public.SubmissionError as refused:
            # One address that cannot be used keeps the others from nothing.
            told = f"subscription {subscription.pk} was not notified: {refused}"
            ctx.log(told, level=logging.WARNING)
        else:
            count += 1
    return count


def unsubscribe(*, channel: str, recipient: str, reason: str) -> list[DigestSubscription]:
    """Disable the enabled subscriptions of an address, whatever the repository; return them."""
    found = DigestSubscription.objects.filter(channel=channel, recipient=recipient, enabled=True)
    disabled = list(found.order_by("pk"))
    found.filter(pk__in=[each.pk for each in disabled]).update(
        enabled=False, disabled_reason=reason
    )
    for each in disabled:
        # Without the recipient: a webhook's address can hold a secret.
        logger.warning(
            "digest_subscription_disabled",
            subscription=each.pk,
            repository=each.repository,
            channel=channel,
            reason=reason,
        )
    return disabled


def _notification(digest: Digest) -> dict[str, Any]:
    url = f"{settings.SITE_URL}{digest.get_absolute_url()}"
    data = {
        "repository": digest.repository,
        "period": digest.data["period"],
        "title": digest.title,
        "highlights": [each["text"] for each in digest.data["highlights"]],
        "counts": digest.data["counts"],
        "markdown": digest.markdown,
        "html": digest.html,
        "url": url,
    }
    for markdown in shorter_versions(digest.markdown, url=url):
        if _bytes(data) <= MOST_BYTES:
            break
        data |= {"markdown": markdown, "html": to_html(markdown)}
    return data


def _bytes(data: dict[str, Any]) -> int:
    return len(json.dumps(data, ensure_ascii=False).encode())
