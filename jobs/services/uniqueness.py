"""Letting one job of a kind in, and no second one for as long as it says."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils.crypto import salted_hmac
from pydantic_core import to_json

from jobs.domain.errors import InvalidOption
from jobs.domain.job_types import JobType
from jobs.domain.lengths import checked_length
from jobs.domain.options import checked_key
from jobs.domain.states import FINAL, WAITING, State
from jobs.domain.unique import Claim, Unique, checked_unique
from jobs.models import Job, UniqueHold
from jobs.selectors.clock import database_now
from jobs.services.encryption import open_params


def claim_options(
    options: Mapping[str, Any],
) -> tuple[Unique | None, timedelta | None, str | None]:
    """Return those of a submission's options that `claim_of` takes."""
    return options.get("unique"), options.get("result_ttl"), options.get("unique_key")


def claim_of(
    job_type: JobType,
    job: Job,
    unique: Unique | None,
    result_ttl: timedelta | None,
    unique_key: str | None,
) -> Claim | None:
    """Return what a new job asks for; None if there may be others like it.

    Args:
        job_type: its type, which may say that all its jobs are unique.
        job: the new job, checked.
        unique: what the submission says; None: what the type does.
        result_ttl: for how long a result answers; None: what the type says.
        unique_key: what makes another job like it; None: the same parameters.

    Raises:
        InvalidOption: one of them cannot be used.
    """
    if unique is not None and result_ttl is not None:
        raise InvalidOption("unique and result_ttl were both given; give one of them")
    asked = unique is not None or result_ttl is not None
    wanted = checked_unique(unique) if asked else job_type.unique
    ttl = checked_length("result_ttl", result_ttl) if asked else job_type.result_ttl
    key = checked_key(unique_key, name="unique_key")
    if wanted is None and ttl is None:
        return None
    if key is None:
        # Keyed, so that what is sensitive among them cannot be guessed from it.
        plain = to_json(open_params(job_type, job.params), inf_nan_mode="constants")
        key = salted_hmac("jobs.unique", plain, algorithm="sha256").hexdigest()
    if ttl is not None:
        return Claim(key, result_ttl=ttl)
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
        "result_ttl": wanted.result_ttl,
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
    if hold.result_ttl is not None:
        ended = job.state == State.COMPLETED and job.finished_at is not None
        fresh = ended and job.finished_at + hold.result_ttl > now  # type: ignore[operator]
        return fresh or job.state not in FINAL
    if hold.until_start:
        return job.state in WAITING and job.run == 0
    return job.state not in FINAL


def forget_holds(now: datetime) -> int:
    """Remove what holds no longer, since its time is over or its job is final or gone."""
    job = Job.objects.filter(pk=OuterRef("job_id"))
    # What a result answers for is gone with its row.
    final = job.filter(state__in=FINAL - {State.COMPLETED})
    completed = Q(result_ttl=None) & Exists(job.filter(state=State.COMPLETED))
    ended = Q(expires_at=None) & (Exists(final) | completed | ~Exists(job))
    return UniqueHold.objects.filter(ended | Q(expires_at__lte=now)).delete()[0]
