"""The job type that makes digests."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jobs import Backoff, JobContext, PermanentError, job_type
from jobs.contrib.digests.activity import Window
from jobs.contrib.digests.models import Digest
from jobs.contrib.digests.params import DigestParams, UnsubscribeParams
from jobs.contrib.digests.period import period_between, periods_ending
from jobs.contrib.digests.repositories import parse_repository, service_of, source_of
from jobs.contrib.digests.storage import store_digest, stored_digest
from jobs.contrib.digests.subscribers import notify, subscriptions_of, unsubscribe
from jobs.contrib.digests.summary import summarise
from jobs.contrib.digests.text import one_line

_READ, _STORED = 75, 85


@job_type(
    "digests.generate",
    max_attempts=5,
    timeout=timedelta(minutes=10),
    backoff=Backoff.exponential(base=timedelta(seconds=15), cap=timedelta(minutes=10)),
    service=lambda params: service_of(params.repository),
)
def generate_digest(params: DigestParams, ctx: JobContext) -> dict[str, Any]:
    """Make the digest of a repository for a period, store it and tell its subscribers."""
    digest = stored_digest(ctx.job_id) or _make(params, ctx)
    ctx.progress(_STORED, "telling subscribers")
    subscriptions = subscriptions_of(digest, asked_for=params.repository) if params.notify else []
    notified = notify(digest, subscriptions, ctx)
    ctx.progress(100, f"{notified} notified")
    return {"digest_id": digest.pk, "counts": digest.data["counts"], "notified": notified}


@job_type("digests.unsubscribe")
def unsubscribe_address(params: UnsubscribeParams, ctx: JobContext) -> dict[str, Any]:
    """Disable every digest subscription of an address, which stays for people to see."""
    disabled = unsubscribe(channel=params.channel, recipient=params.recipient, reason=params.reason)
    for each in disabled:
        ctx.log(f"subscription {each.pk} of {each.repository} was disabled: {params.reason}")
    return {"disabled": [each.pk for each in disabled]}


def _make(params: DigestParams, ctx: JobContext) -> Digest:
    window, before = _periods(params)
    source = source_of(parse_repository(params.repository))
    activity = source.read(
        window, before, lambda share, message: ctx.progress(share * _READ, message)
    )
    ctx.progress(_READ, "summarising")
    summary = summarise(activity, window, before)
    zone = ZoneInfo(params.timezone)
    title = one_line(params.title) or _title(summary.repository, window, zone)
    return store_digest(summary, title=title, zone=zone, job_id=ctx.job_id, tenant=ctx.tenant)


def _periods(params: DigestParams) -> tuple[Window, Window]:
    end = params.end or datetime.now(UTC).replace(microsecond=0)
    if params.start is None:
        return periods_ending(end, params.period, ZoneInfo(params.timezone))
    if params.start >= end:
        raise PermanentError(
            f"start {params.start.isoformat()} is not before the run itself; give an end after it"
        )
    return period_between(params.start, end)


def _title(repository: str, window: Window, zone: ZoneInfo) -> str:
    # A folder is known by its name; its whole path stands in the digest.
    name = Path(repository).name if repository.startswith("/") else repository
    days = [f"{each.astimezone(zone):%d %b %Y}" for each in (window.start, window.end)]
    return f"{name[:100] or repository}: {' to '.join(dict.fromkeys(days))}"
