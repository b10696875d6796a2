"""Batches: jobs that are put in together, with a common end that leads to others."""

from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any

from django.db import transaction
from django.utils import timezone
from pydantic import BaseModel

from jobs.domain.errors import BatchClosed, InvalidOption, InvalidTransition
from jobs.domain.priority import Priority
from jobs.domain.registry import registry
from jobs.domain.states import WAITING, State
from jobs.domain.submission import BatchSubmission, BulkSubmission, NewJob
from jobs.models import Batch, Job, in_states
from jobs.selectors.tenants import is_known
from jobs.services.audit import record
from jobs.services.batch_life import end_batches_after_commit
from jobs.services.building import stored_params
from jobs.services.bulk import submit_many
from jobs.services.steering import cancel

MAX_NAME_LENGTH = 100
_AT_ONCE = 100


def create_batch(
    jobs: Iterable[NewJob] = (),
    *,
    name: str = "",
    on_complete: NewJob | None = None,
    on_success: NewJob | None = None,
    on_failure: NewJob | None = None,
    closed: bool = True,
    tenant: str = "",
    created_by_id: Any = None,
    actor: str = "code",
) -> BatchSubmission:
    """Make a batch of jobs; once all of them have ended, its own end leads to others.

    One that cannot be accepted is named by its place, and the others are in the batch.

    Args:
        jobs: any number, read as they are stored: see `submit_many`.
        name: for people.
        on_complete: submitted once all have ended, whichever way.
        on_success: once all have completed.
        on_failure: once all have ended, and one of them failed or was cancelled.
        closed: whether it ends once these have; otherwise it stays open for more until
            `close_batch`.
        tenant: whose it and its jobs are; empty: nobody's.
        created_by_id: the primary key of the user on whose behalf it is made.
        actor: who makes it, for the audit log.

    Raises:
        InvalidOption: the name, the tenant or one of the three cannot be used; nothing was stored.
        UnknownJobType, InvalidParameters: one of the three cannot be submitted.
    """
    given = {"on_complete": on_complete, "on_success": on_success, "on_failure": on_failure}
    if not isinstance(name, str) or len(name) > MAX_NAME_LENGTH or not (name + "x").isprintable():
        raise InvalidOption(
            f"a batch's name is a text of at most {MAX_NAME_LENGTH} printable characters, not "
            f"{str(name)[:40]!r}"
        )
    if tenant and not is_known(tenant):
        raise InvalidOption(f"there is no tenant {tenant[:60]!r}; see `manage.py jobs tenants`")
    batch = Batch(name=name, tenant=tenant, created_by_id=created_by_id, created_at=timezone.now())
    batch.callbacks = {
        moment: _kept(new, batch) for moment, new in given.items() if new is not None
    }
    with transaction.atomic():
        batch.save(force_insert=True)
        _note(batch, "batch.create", actor)
    submitted = add_to_batch(batch, jobs)
    if closed:
        close_batch(batch)
    return BatchSubmission(batch.pk, submitted)


def add_to_batch(batch: Batch, jobs: Iterable[NewJob]) -> BulkSubmission:
    """Put more jobs into a batch that has not finished: see `submit_many`."""
    return submit_many(_put_into(batch, new) for new in jobs)


def close_batch(batch: Batch) -> None:
    """Let a batch end once all of its jobs have; at once if they have."""
    Batch.objects.filter(pk=batch.pk, closed_at=None).update(closed_at=timezone.now())
    end_batches_after_commit([batch.pk])


def cancel_batch(batch: Batch, *, actor: str) -> int:
    """Cancel every job of a batch that has not ended, and put no more in; return how many that was.

    Those that wait are cancelled at once, those that run in a few seconds.

    Raises:
        BatchClosed: it has finished already.
    """
    now = timezone.now()
    with transaction.atomic():
        changed = Batch.objects.filter(pk=batch.pk, finished_at=None).update(
            cancelled_at=now, closed_at=now
        )
        if not changed:
            raise BatchClosed(f"batch {batch.pk} has finished, and there is nothing to cancel")
        _note(batch, "batch.cancel", actor)
    done = 0
    for states in (WAITING, {State.RUNNING}):
        done += _cancel_each(batch, states, actor)
    end_batches_after_commit([batch.pk])
    return done


def _cancel_each(batch: Batch, states: Collection[State], actor: str) -> int:
    live = Job.objects.filter(in_states(states), batch=batch, cancel_requested_at=None)
    done = 0
    while ids := list(live.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE]):
        with transaction.atomic():
            for job_id in ids:
                with suppress(InvalidTransition):  # it has just ended
                    cancel(job_id, actor=actor)
                    done += 1
    return done


def _put_into(batch: Batch, new: NewJob) -> NewJob:
    """Return the job as one of the batch's; one of another tenant's will be refused."""
    tenant = new.options.get("tenant") or batch.tenant or None
    return NewJob(new.job_type, new.params, {**new.options, "batch_id": batch.pk, "tenant": tenant})


def _kept(new: NewJob, batch: Batch) -> dict[str, Any]:
    """Return what a batch keeps of a job that its end leads to: checked, and sealed if need be.

    A parameter `batch_id` that is not given is the batch's.
    """
    if not isinstance(new, NewJob):
        raise InvalidOption(f"what a batch leads to is a NewJob(…), not {type(new).__name__}")
    unknown = set(new.options) - {"priority", "queue"}
    if unknown:
        raise InvalidOption(
            f"what a batch leads to takes the options priority and queue, not {min(unknown)}"
        )
    job_type = registry.get(new.job_type)
    params: Any = new.params
    if "batch_id" in job_type.params_model.model_fields and not isinstance(params, BaseModel):
        params = {"batch_id": str(batch.pk), **(params or {})}
    priority = new.options.get("priority")
    return {
        "type": job_type.name,
        "params": stored_params(job_type, params),
        "priority": None if priority is None else Priority.parse(priority).label,
        "queue": new.options.get("queue"),
    }


def _note(batch: Batch, action: str, actor: str) -> None:
    record(
        actor=actor, action=action, target_type="batch", target_id=batch.pk, tenant=batch.tenant,
        name=batch.name,
    )  # fmt: skip
