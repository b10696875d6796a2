"""Letting one job of a kind in, and no second one for as long as it says."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from django.utils.crypto import salted_hmac
from pydantic_core import to_json

from jobs.domain.job_types import JobType
from jobs.domain.options import checked_key
from jobs.domain.states import FINAL, WAITING
from jobs.domain.unique import Claim, Unique, checked_unique
from jobs.models import Job, UniqueHold
from jobs.selectors.clock import database_now
from jobs.services.encryption import open_params


def claim_of(
    job_type: JobType, job: Job, unique: Unique | None, unique_key: str | None
) -> Claim | None:
    """Return what a new job asks for; None if there may be others like it.

    Args:
        job_type: its type, which may say that all its jobs are unique.
        job: the new job, checked.
        unique: what the submission says; None: what the type does.
        unique_key: what makes another job like it; None: the same parameters.

    Raises:
        InvalidOption: one of them cannot be used.
    """
    wanted = checked_unique(unique) or job_type.unique
    key = checked_key(unique_key, name="unique_key")
    if wanted is None:
        return None
    if key is None:
        # Keyed, so that what is sensitive among them cannot be guessed from it.
        plain = to_json(open_params(job_type, job.params), inf_nan_mode="constants")
        key = salted_hmac("jobs.unique", plain, algorithm="sha256").hexdigest()
    if wanted in {"waiting", "active"}:
        return Claim(key, until_start=wanted == "waiting")
    return Claim(key, period=wanted)  # type: ignore[arg-type] # a length of time


def claim(job: Job) -> Job | None:
    """Have the new job be the only one like it; or return the one that is, and stays so.

    In the transaction that stores the job. Of any number that claim at the same time one gets it;
    the others wait for its commit.
    """
    wanted = job.new_claim
    if wanted is None:
        return None
    now = database_now()
    kind = {"tenant": job.tenant, "job_type": job.job_type, "key": wanted.key}
    terms = {
        "job_id": job.pk,
        "expires_at": now + wanted.period if wanted.period else None,
        "until_start": wanted.until_start,
    }
    UniqueHold.objects.bulk_create([UniqueHold(**kind, **terms)], ignore_conflicts=True)
    hold = UniqueHold.objects.select_for_update().get(**kind)
    if hold.job_id == job.pk:
        return None
    earlier = Job.objects.filter(pk=hold.job_id).first()
    if earlier is not None and _holds(hold, earlier, now):
        return earlier
    UniqueHold.objects.filter(pk=hold.pk).update(**terms)
    return None


def _holds(hold: UniqueHold, job: Job, now: datetime) -> bool:
    if hold.expires_at is not None:
        return now < hold.expires_at
    if hold.until_start:
        return job.state in WAITING and job.run == 0
    return job.state not in FINAL


def forget_holds(now: datetime) -> int:
    """Remove what holds no longer, since its time is over or its job is final or gone."""
    job = Job.objects.filter(pk=OuterRef("job_id"))
    ended = Q(expires_at=None) & (Exists(job.filter(state__in=FINAL)) | ~Exists(job))
    return UniqueHold.objects.filter(ended | Q(expires_at__lte=now)).delete()[0]
