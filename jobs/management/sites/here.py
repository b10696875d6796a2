"""This site: its database, and the broker that its settings name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from pydantic import TypeAdapter

from jobs import public
from jobs.domain import wire
from jobs.domain.options import SubmitOptions
from jobs.domain.registry import registry
from jobs.management.actor import command_line_actor
from jobs.management.finding import find
from jobs.management.matching import checked_type
from jobs.models import Job
from jobs.selectors import event_stream
from jobs.selectors.describe import describe_queue, describe_type, describe_whole
from jobs.selectors.queues import queues
from jobs.services.audit import record
from jobs.services.schedules import get_schedule

_QUEUES = TypeAdapter(list[wire.Queue])


class ThisSite:
    """The site whose `manage.py` this is; every change is recorded under the user's name here."""

    is_here = True
    pause = timedelta(milliseconds=100)

    def submit(
        self, job_type: str, params: dict[str, Any], options: SubmitOptions
    ) -> wire.Accepted:
        """Submit, and write down who did it."""
        all_options: SubmitOptions = {**options, "trigger": Job.Trigger.MANUAL}
        with transaction.atomic():
            done = public.submit(job_type, params, **all_options)
            if done.replaced or not done.duplicate:
                record(
                    actor=command_line_actor(),
                    action="job.replace" if done.replaced else "job.submit",
                    target_type="job",
                    target_id=done.job_id,
                )
        return wire.Accepted.model_validate(done.as_json())

    def trigger(self, schedule: str) -> wire.Accepted:
        """Run a schedule's job now."""
        done = public.trigger(schedule, actor=command_line_actor())
        return wire.Accepted.model_validate(done.as_json())

    def find(self, job_id: str) -> UUID:
        """Return the id that this is, or is a part of."""
        return find(job_id).pk

    def look(self, job_id: UUID) -> wire.Job:
        """Return a job."""
        return _told(public.get(job_id))

    def show(self, job_id: UUID) -> wire.WholeJob:
        """Return a job with all that is known of it."""
        return wire.WholeJob.model_validate(describe_whole(public.get(job_id)))

    def list(self, limit: int, filters: Mapping[str, Any]) -> Sequence[wire.Job]:
        """Return the jobs that match, newest first."""
        checked = _checked(filters)
        schedule = checked.get("schedule")
        checked["schedule"] = schedule and get_schedule(schedule).name
        return [_told(job) for job in public.list(limit=limit, **checked)]

    def cancel(self, job_id: UUID) -> wire.Job:
        """Cancel a job."""
        return _told(public.cancel(job_id, actor=command_line_actor()))

    def retry(self, job_id: UUID) -> wire.Job:
        """Queue a job again."""
        return _told(public.retry(job_id, actor=command_line_actor()))

    def retry_all(self, filters: Mapping[str, Any], show: Callable[[int], None]) -> int:
        """Queue the failed and cancelled jobs again that match."""
        return public.retry_all(actor=command_line_actor(), on_each=show, **_checked(filters))

    def discard_all(self, filters: Mapping[str, Any], show: Callable[[int], None]) -> int:
        """Remove the dead letters that match."""
        return public.discard_all(actor=command_line_actor(), on_batch=show, **_checked(filters))

    def queues(self) -> Sequence[wire.Queue]:
        """Return every queue."""
        return _QUEUES.validate_python([describe_queue(each) for each in queues()])

    def pause_queues(self, names: Sequence[str]) -> Sequence[str]:
        """Pause queues: all of these, or none if one is unknown."""
        return _each(public.pause_queue, names)

    def resume_queues(self, names: Sequence[str]) -> Sequence[str]:
        """Resume queues: all of these, or none if one is unknown."""
        return _each(public.resume_queue, names)

    def types(self) -> Sequence[wire.JobType]:
        """Return every job type."""
        return [wire.JobType.model_validate(describe_type(each)) for each in registry]

    def stats(self) -> wire.Stats:
        """Count the jobs."""
        return wire.Stats.model_validate(public.stats())

    def events(self, since: str) -> Iterator[dict[str, Any] | None]:
        """Yield each event as it comes; None wherever the stream ends for now."""
        return event_stream.follow(since=since)

    def has_a_healthy_worker(self) -> bool:
        """Return whether jobs are being run."""
        return bool(public.worker_counts()["healthy"])


def _told(job: Job) -> wire.Job:
    return wire.Job.model_validate(public.describe(job))


def _checked(filters: Mapping[str, Any]) -> dict[str, Any]:
    return {**filters, "job_type": checked_type(filters.get("job_type"))}


def _each(act: Callable[..., Sequence[str]], names: Sequence[str]) -> Sequence[str]:
    with transaction.atomic():
        return [queue for name in names for queue in act(name, actor=command_line_actor())]
