"""A job, or a job type, as JSON, the same wherever it is shown."""

from datetime import datetime
from typing import Any

from pydantic import PydanticUserError

from jobs.conf import jobs_settings
from jobs.domain.job_types import JobType
from jobs.domain.sensitive import shown
from jobs.domain.states import RETRYABLE, FailureReason, State
from jobs.models import Job
from jobs.selectors import history
from jobs.selectors.dependencies import DependencyView, followers, waits_for
from jobs.selectors.listings import one_to_one_links
from jobs.selectors.policy import backoff_as_json, backoff_of
from jobs.selectors.queues import QueueView


def describe(job: Job) -> dict[str, Any]:
    """Return the job's own fields; times as ISO 8601 in UTC, durations in seconds."""
    return {
        "id": str(job.pk),
        "type": job.job_type,
        "tenant": job.tenant or None,
        "tags": sorted(each.tag for each in job.tags.all()),
        "state": job.state,
        "queue": job.queue,
        "priority": job.priority_label,
        "priority_source": job.priority_source,
        "params": shown(job.params),
        "result": job.result,
        "progress": job.progress,
        "progress_message": job.progress_message,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "run": job.run,
        "timeout_seconds": job.timeout.total_seconds(),
        "backoff": backoff_as_json(backoff_of(job)),
        "created_at": _iso(job.created_at),
        "run_at": _iso(job.run_at),
        "expires_at": _iso(job.expires_at),
        "started_at": _iso(job.started_at),
        "finished_at": _iso(job.finished_at),
        "next_retry_at": _iso(job.next_retry_at),
        "cancel_requested": job.cancel_requested_at is not None and job.state == State.RUNNING,
        "failure_reason": job.failure_reason or None,
        "error_type": job.error_type or None,
        "error": job.error or None,
        "retryable": _retryable(job),
        "idempotency_key": job.idempotency_key,
        "concurrency_key": job.concurrency_key or None,
        "trigger": job.trigger,
        "created_by_id": job.created_by_id,
        "parent_id": str(job.parent_id) if job.parent_id else None,
        "batch_id": str(job.batch_id) if job.batch_id else None,
        "schedule_id": job.schedule_id,
        "occurrence": _iso(job.occurrence),
        "event_id": str(job.event_id) if job.event_id else None,
        "trace_id": job.trace_id,
        **_links(job),
    }


def describe_whole(job: Job) -> dict[str, Any]:
    """Return the job with its attempts, timeline and log lines, and what waits for what."""
    return {
        **describe(job),
        "attempts": [
            {
                "number": each.number,
                "run": each.run,
                "outcome": each.outcome,
                "worker": each.worker,
                "started_at": _iso(each.started_at),
                "finished_at": _iso(each.finished_at),
                "seconds": each.seconds,
                "retry_at": _iso(each.retry_at),
                "error_type": each.error_type or None,
                "error": each.error or None,
                "traceback": each.traceback or None,
            }
            for each in history.attempts(job)
        ],
        "timeline": describe_timeline(job),
        "log": describe_log(job),
        "depends_on": [_dependency(each) for each in waits_for(job)],
        "followers": [_dependency(each) for each in followers(job)],
    }


def _dependency(view: DependencyView) -> dict[str, Any]:
    return {
        "job_id": str(view.job_id),
        "type": view.job_type or None,
        "state": view.state or None,
        "on_failure": view.on_failure,
        "verdict": view.verdict,
        "settled_at": _iso(view.settled_at),
    }


def describe_timeline(job: Job) -> list[dict[str, Any]]:
    """Return each change of the job's state, the oldest first."""
    return [
        {
            "at": _iso(moment.at),
            "from": moment.before or None,
            "to": moment.after or None,
            "actor": moment.actor or None,
            "worker": moment.worker or None,
            "note": moment.note or None,
        }
        for moment in history.timeline(job)
    ]


def describe_log(job: Job) -> list[dict[str, Any]]:
    """Return the lines that the job's handler wrote, the oldest first."""
    return [
        {"at": _iso(line.at), "level": line.level_name, "message": line.message, **line.fields}
        for line in job.log_lines.order_by("id")
    ]


def describe_type(job_type: JobType) -> dict[str, Any]:
    """Return a job type with the options that hold for its jobs, and its parameters' JSON Schema.

    `params` is null where the model has a type that JSON Schema cannot tell.
    """
    settings = jobs_settings()
    return {
        "name": job_type.name,
        "description": job_type.description,
        "priority": job_type.priority.label,
        "queue": job_type.queue,
        "max_attempts": job_type.max_attempts or settings.max_attempts,
        "concurrency": job_type.concurrency,
        "concurrency_per_key": job_type.concurrency_per_key,
        "timeout_seconds": (job_type.timeout or settings.timeout).total_seconds(),
        "backoff": backoff_as_json(job_type.backoff or settings.backoff),
        "params": params_schema(job_type),
    }


def describe_queue(queue: QueueView) -> dict[str, Any]:
    """Return a queue as people look at it; moments as they are."""
    return {
        "name": queue.name,
        "ready": queue.ready,
        "running": queue.running,
        "oldest": queue.oldest,
        "paused": queue.paused_at is not None,
        "paused_at": queue.paused_at,
        "paused_by": queue.paused_by or None,
    }


def params_schema(job_type: JobType) -> dict[str, Any] | None:
    """Return the JSON Schema of the type's parameters; None if JSON Schema cannot tell them."""
    try:
        return job_type.params_model.model_json_schema()
    except PydanticUserError:
        return None


def _retryable(job: Job) -> bool:
    """Return whether a retry may help: what failed permanently fails again."""
    return job.state in RETRYABLE and job.failure_reason != FailureReason.PERMANENT_ERROR


def _links(job: Job) -> dict[str, Any]:
    """Return the ids of the rows in other apps that belong to this job one to one."""
    linked = {name: getattr(job, name, None) for name in one_to_one_links()}
    return {f"{name}_id": found.pk if found else None for name, found in linked.items()}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
