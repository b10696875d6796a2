"""Accepting many jobs at once: a few statements for thousands."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, cast

from django.db import transaction
from django.db.models.base import ModelState
from django.utils import timezone

from jobs.conf import jobs_settings
from jobs.domain.errors import InvalidOption, SubmissionError
from jobs.domain.job_types import JobType
from jobs.domain.options import check_options, checked_key
from jobs.domain.registry import registry
from jobs.domain.states import State
from jobs.domain.submission import BulkSubmission, NewJob, Submission
from jobs.models import Job
from jobs.models.job import new_job_id
from jobs.selectors.clock import database_now
from jobs.services.backpressure import largest_batch, may_refuse, refusals
from jobs.services.building import build, concurrency_key_of, stored_params
from jobs.services.storing import store
from jobs.services.submission import announce_all, settle_duplicate, settle_likeness
from jobs.services.uniqueness import claim, claim_of, claim_options

#: How many are stored by one transaction, unless the caller has one open. On SQLite nobody else
#: writes meanwhile.
CHUNK = 5000
#: Templates that are looked through for each job.
_REMEMBERED = 8


def submit_many(jobs: Iterable[NewJob]) -> BulkSubmission:
    """Accept many jobs; one that cannot be accepted is named by its place, the others are.

    Inside the caller's transaction all of them belong to it. Outside, they are committed 5,000 at
    a time, so that no other writer waits for long: what ends the call midway, such as a database
    that goes away, leaves those accepted that were committed. With idempotency keys the call can be
    repeated then.

    Where a queue has a capacity, those that fit are accepted, and the others are refused with
    `QueueFull`; what is committed together is then fewer, an eighth of the capacity or 100.

    Args:
        jobs: any number; they are read as they are stored.

    Returns:
        Submissions and errors in the order of the jobs.
    """
    result = BulkSubmission()
    waiting = iter(jobs)
    while chunk := list(islice(waiting, _chunk_size())):
        _accept(chunk, result)
    return result


def _chunk_size() -> int:
    return min(CHUNK, largest_batch()) if jobs_settings().bounds_queues else CHUNK


def _accept(chunk: Sequence[NewJob], result: BulkSubmission) -> None:
    drafts = _Drafts()
    drafted: dict[int, Job] = {}
    first = len(result.submissions)
    for place, new in enumerate(chunk, first):
        try:
            drafted[place] = drafts.job(new)
        except SubmissionError as error:
            result.errors[place] = error
    with transaction.atomic():
        if may_refuse(drafted.values()):
            refused = refusals(drafted)
            result.errors.update(refused)
            for place in refused:
                del drafted[place]
        likenesses = _claim(drafted)
        unlike = [job for place, job in drafted.items() if place not in likenesses]
        stored = store(unlike, alike=drafts.are_alike)
        announce_all([job for job in unlike if job.id in stored])
        settled = {
            place: _settled(job, likenesses.get(place), chunk[place - first], place, result)
            for place, job in drafted.items()
            if job.id not in stored
        }
    for place in range(first, first + len(chunk)):
        job = drafted.get(place)
        if job is None or place in settled:
            result.submissions.append(settled.get(place))
        else:
            result.submissions.append(Submission(job.id, cast(State, job.state)))


def _claim(drafted: Mapping[int, Job]) -> dict[int, Job]:
    """Have each job be the only one like it that asks for that; return whom others are like."""
    found: dict[int, Job] = {}
    claimed: dict[tuple[str, str, str], Job] = {}
    asking = [
        ((job.tenant, job.job_type, job.new_claim.key), place)
        for place, job in drafted.items()
        if job.new_claim is not None
    ]
    # In one order for all, so that two who claim the same do not lock each other out.
    for kind, place in sorted(asking):
        earlier = claimed.get(kind) or claim(drafted[place])
        if earlier is None:
            claimed[kind] = drafted[place]
        else:
            found[place] = earlier
    return found


def _settled(
    job: Job, like: Job | None, new: NewJob, place: int, result: BulkSubmission
) -> Submission | None:
    """Return what a submission leads to that was not stored; None, and an error, if it may not."""
    policy = new.options.get("on_duplicate") or "ignore"
    try:
        return settle_likeness(like, job, policy) if like else settle_duplicate(job, policy)
    except SubmissionError as error:
        result.errors[place] = error
        return None


class _Drafts:
    """Makes the jobs of a chunk; those with the same type and options are copies of one."""

    def __init__(self) -> None:
        self._now = timezone.now()
        self._database_now: datetime | None = None
        self._templates: list[tuple[str, dict[str, Any], Job]] = []
        self._decides = bool(jobs_settings().priority_decider)
        #: Whether the jobs differ by nothing but their id, parameters and key.
        self.are_alike = True

    def job(self, new: NewJob) -> Job:
        """Return the checked job, not yet stored.

        Raises:
            SubmissionError: it cannot be accepted.
        """
        if not isinstance(new, NewJob):
            raise InvalidOption(f"submit_many takes NewJob(…), not {type(new).__name__}")
        options: dict[str, Any] = dict(new.options)
        key = options.pop("idempotency_key", None)
        for job_type, known, template in reversed(self._templates[-_REMEMBERED:]):
            if job_type == new.job_type and known == options:
                return _copy(template, registry.get(job_type), new, key)
        check_options(new.options)
        late = options.get("delay") or options.get("run_at")
        job = build(
            registry.get(new.job_type), new.params, now=self._shared_now() if late else self._now,
            **new.options,
        )  # fmt: skip
        if self._decides and not options.get("priority"):
            self.are_alike = False
        else:
            self._templates.append((new.job_type, options, job))
            self.are_alike = self.are_alike and len(self._templates) == 1
        return job

    def _shared_now(self) -> datetime:
        self._database_now = self._database_now or database_now()
        return self._database_now


def _copy(template: Job, job_type: JobType, new: NewJob, key: str | None) -> Job:
    job = Job.__new__(Job)
    job.__dict__.update(template.__dict__)
    job._state = ModelState()
    job.id, job.idempotency_key = new_job_id(), checked_key(key)
    job.params = stored_params(job_type, new.params)
    if template.new_claim is not None:
        job.new_claim = claim_of(job_type, job, *claim_options(new.options))
    if job_type.concurrency_key is not None:
        given = new.options.get("concurrency_key")
        job.concurrency_key = concurrency_key_of(job_type, job.params, given)
    return job
