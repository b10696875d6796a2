"""Keeping digests: at most one for a job."""

from uuid import UUID
from zoneinfo import ZoneInfo

from django.apps import apps

from jobs.contrib.digests.content import to_data
from jobs.contrib.digests.models import Digest
from jobs.contrib.digests.rendering import to_html, to_markdown
from jobs.contrib.digests.summary import Summary


def stored_digest(job_id: UUID) -> Digest | None:
    """Return the digest that this job has stored already, if any."""
    return Digest.objects.filter(job_id=job_id).first()


def store_digest(
    summary: Summary, *, title: str, zone: ZoneInfo, job_id: UUID, tenant: str = ""
) -> Digest:
    """Store the digest and return it, or the one that this job has stored already.

    What was stored first stays: notifications may have been sent from it. Two runs of one job at
    the same time store one digest, by the unique constraint. Called outside of a job, it stores a
    digest without one.
    """
    markdown = to_markdown(summary, title=title, zone=zone)
    values = {
        "tenant": tenant,
        "repository": summary.repository,
        "source": summary.source,
        "start": summary.window.start,
        "end": summary.window.end,
        "title": title,
        "data": to_data(summary),
        "markdown": markdown,
        "html": to_html(markdown),
    }
    if not apps.get_model("jobs", "Job").objects.filter(pk=job_id).exists():
        return Digest.objects.create(**values)
    digest, _ = Digest.objects.get_or_create(job_id=job_id, defaults=values)
    return digest
