"""Telling the subscribers of a repository about a new digest."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.models import Q

from jobs import JobContext
from jobs.contrib.digests.models import Digest, DigestSubscription


def subscriptions_of(digest: Digest, *, asked_for: str) -> list[DigestSubscription]:
    """Return the enabled subscriptions, one for each recipient on a channel.

    A repository may have been subscribed to by its canonical name or as the job named it; GitHub
    does not tell letter cases apart.
    """
    names = Q(repository__in=[digest.repository, asked_for])
    if digest.source == Digest.Source.GITHUB:
        names |= Q(repository__iexact=digest.repository)
        names |= Q(repository__iexact=f"github:{digest.repository}")
    found = DigestSubscription.objects.filter(names, enabled=True).order_by("-pk")
    return list({(each.channel, each.recipient): each for each in found}.values())[::-1]


def notify(digest: Digest, subscriptions: Iterable[DigestSubscription], ctx: JobContext) -> int:
    """Submit one notification for each subscription and return how many.

    Each has an idempotency key of its own, so that a retried job tells no one twice.
    """
    data = _notification(digest)
    count = 0
    for subscription in subscriptions:
        ctx.submit(
            "notifications.send",
            {
                "template": "digest",
                "channel": subscription.channel,
                "to": subscription.recipient,
                "data": data,
            },
            idempotency_key=str(ctx.stable_id(f"notify:{subscription.pk}")),
        )
        count += 1
    return count


def _notification(digest: Digest) -> dict[str, Any]:
    return {
        "repository": digest.repository,
        "period": digest.data["period"],
        "title": digest.title,
        "highlights": [each["text"] for each in digest.data["highlights"]],
        "counts": digest.data["counts"],
        "markdown": digest.markdown,
        "html": digest.html,
        "url": f"{settings.SITE_URL}{digest.get_absolute_url()}",
    }
