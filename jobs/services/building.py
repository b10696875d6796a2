"""A checked job, made from what is submitted, and not yet stored."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Unpack, cast
from uuid import UUID, uuid4

import structlog
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.module_loading import import_string
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from jobs.conf import jobs_settings
from jobs.domain.backoff import Backoff
from jobs.domain.current import current_run
from jobs.domain.dependencies import After, checked_dependencies
from jobs.domain.errors import (
    ConfigurationError,
    InvalidOption,
    InvalidParameters,
    ParametersTooLarge,
)
from jobs.domain.ids import checked_uuid
from jobs.domain.job_types import JobType, as_fields
from jobs.domain.lengths import checked_length
from jobs.domain.options import (
    LONGEST_TIMEOUT,
    SubmitOptions,
    attempts_of,
    checked_key,
    checked_tags,
    checked_trace,
    moment_of,
)
from jobs.domain.plain_models import is_plain
from jobs.domain.priority import Priority, PriorityDecider, queue_name
from jobs.domain.registry import registry
from jobs.domain.sensitive import SEALED, names_seal
from jobs.domain.states import State
from jobs.domain.storable import TooLarge, storable
from jobs.models import Batch, Job
from jobs.selectors.policy import backoff_as_json
from jobs.selectors.tenants import is_known
from jobs.services.encryption import open_params, seal_params
from jobs.services.transactions import sparing_the_callers
from jobs.services.uniqueness import claim_of, claim_options

logger = structlog.get_logger(__name__)
Params = BaseModel | Mapping[str, Any] | None


def build(
    job_type: JobType, params: Params, *, now: datetime, **options: Unpack[SubmitOptions]
) -> Job:
    """Return the checked job, not yet stored."""
    settings = jobs_settings()
    stored = stored_params(job_type, params)
    run_at = moment_of(delay=options.get("delay"), run_at=options.get("run_at"), now=now)
    priority, source = _priority(job_type, stored, options.get("priority"))
    queue = options.get("queue")
    attempts = attempts_of(
        max_attempts=options.get("max_attempts"), max_retries=options.get("max_retries")
    )
    timeout = (
        checked_length("timeout", options.get("timeout"), longest=LONGEST_TIMEOUT)
        or job_type.timeout
        or settings.timeout
    )
    expires_in = checked_length("expires_in", options.get("expires_in")) or job_type.expires_in
    tenant = _known_tenant(options.get("tenant"))
    waits_for = _known_jobs(checked_dependencies(options.get("depends_on")), tenant)
    state = State.SCHEDULED if run_at > now else State.QUEUED
    job = Job(
        job_type=job_type.name,
        tenant=tenant,
        queue=queue_name(job_type.queue if queue is None else _known_queue(queue), priority),
        priority=priority,
        priority_source=source,
        state=State.BLOCKED if waits_for else state,
        params=stored,
        max_attempts=attempts or job_type.max_attempts or settings.max_attempts,
        timeout=timeout,
        backoff=_own_backoff(options.get("backoff")),
        created_at=now,
        run_at=run_at,
        scheduled_for=run_at if run_at > now else None,
        expires_at=run_at + expires_in if expires_in else None,
        idempotency_key=checked_key(options.get("idempotency_key")),
        concurrency_key=concurrency_key_of(job_type, stored, options.get("concurrency_key")),
        trigger=options.get("trigger", Job.Trigger.CODE),
        created_by_id=_known_owner(options.get("created_by_id")),
        parent_id=_id("parent_id", options.get("parent_id")),
        event_id=_id("event_id", options.get("event_id")),
        batch_id=_known_batch(options.get("batch_id"), tenant),
        trace_id=checked_trace(options.get("trace_id", "")) or _trace_id(),
    )
    job.new_tags = checked_tags(options.get("tags"))
    job.new_dependencies = waits_for
    job.new_claim = claim_of(job_type, job, *claim_options(options))
    return job


def stored_params(job_type: JobType, params: Params) -> dict[str, Any]:
    """Return the parameters as they are stored: checked, and what is sensitive in them encrypted.

    Raises:
        InvalidParameters: see `plain_params`.
        ConfigurationError: something in them is sensitive, and there is no key to encrypt it by.
    """
    plain = plain_params(job_type, params)
    if not job_type.sensitive:
        return plain
    return seal_params(job_type, job_type.parse(plain), plain)


def plain_params(job_type: JobType, params: Params) -> dict[str, Any]:
    """Return the parameters as plain data: checked, with the model's defaults filled in.

    Raises:
        InvalidParameters: they do not fit the model, or cannot be stored.
        ParametersTooLarge: they have more bytes than `MAX_PARAMS_BYTES`.
    """
    given = _fields(job_type, params)
    if job_type.sensitive and names_seal(given):
        raise InvalidParameters(job_type.name, [("", f"no name may be {SEALED!r}")])
    parsed = job_type.parse(given)
    try:
        stored: dict[str, Any] = storable(
            as_fields(parsed), limit_bytes=jobs_settings().max_params_bytes
        )
    except TooLarge as error:
        raise ParametersTooLarge(job_type.name, [("", str(error))]) from None
    except ValueError as error:
        raise InvalidParameters(job_type.name, [("", str(error))]) from None
    if not is_plain(job_type.params_model):
        _check_readable(job_type, stored)
    return stored


def concurrency_key_of(job_type: JobType, stored: dict[str, Any], given: str | None) -> str:
    """Return the key under which few jobs of the type run at once; empty for none.

    Args:
        job_type: the type, which may make the key of a job's parameters.
        stored: the parameters as they are stored.
        given: what the submission says.

    Raises:
        InvalidOption: it cannot be used, or the type has no such keys.
    """
    key = checked_key(given, name="concurrency_key")
    if key is not None and job_type.concurrency_per_key is None:
        raise InvalidOption(
            f"concurrency_key {key!r} was given, and job type {job_type.name} does not say how "
            "many with the same key may run at once: declare it with concurrency_per_key"
        )
    if key is not None or job_type.concurrency_key is None:
        return key or ""
    params = job_type.parse(open_params(job_type, stored))
    try:
        made = job_type.concurrency_key(params)
    except Exception as error:
        raise InvalidOption(
            f"job type {job_type.name} could not make the concurrency_key of these parameters: "
            f"{type(error).__name__}"
        ) from error
    return checked_key(str(made), name="concurrency_key") or "" if made else ""


def _check_readable(job_type: JobType, stored: dict[str, Any]) -> None:
    """Do nothing if the worker will read the same parameters from what is stored.

    A model whose fields cannot make the way to JSON and back must be refused now, not in there.
    """
    try:
        again = as_fields(job_type.parse(stored))
    except InvalidParameters as error:
        told = [(path, f"cannot be read back once stored: {why}") for path, why in error.problems]
        raise InvalidParameters(job_type.name, told) from None
    if to_jsonable_python(again, inf_nan_mode="constants") != stored:
        lossy = "the model reads other values from what it stores: make its validators idempotent"
        raise InvalidParameters(job_type.name, [("", lossy)])


def _fields(job_type: JobType, params: Any) -> BaseModel | dict[str, Any] | None:
    if params is None or isinstance(params, BaseModel):
        return params
    if isinstance(params, Mapping):
        return dict(params)
    wrong = f"must be an object with named fields, not {type(params).__name__}"
    raise InvalidParameters(job_type.name, [("", wrong)])


def _own_backoff(backoff: Backoff | None) -> dict[str, Any] | None:
    if backoff is None:
        return None
    if not isinstance(backoff, Backoff):
        raise InvalidOption(f"backoff must be a Backoff, such as Backoff.fixed(…), not {backoff!r}")
    return backoff_as_json(backoff)


def _id(name: str, value: object) -> UUID | None:
    return None if value is None else checked_uuid(name, value)


def _known_jobs(named: tuple[After, ...], tenant: str) -> tuple[After, ...]:
    """Return what the job waits for; for a tenant's job, the others have to be the tenant's too."""
    if not named:
        return named
    jobs = Job.objects.filter(pk__in=[each.job_id for each in named])
    known = set((jobs.filter(tenant=tenant) if tenant else jobs).values_list("pk", flat=True))
    for each in named:
        if each.job_id not in known:
            raise InvalidOption(
                f"depends_on names job {each.job_id}, which is not there; it may have been removed "
                "after its retention"
            )
    return named


def _known_batch(batch_id: object, tenant: str) -> UUID | None:
    """Return the batch that the job is put into; a tenant's job goes into one of the tenant's."""
    if batch_id is None:
        return None
    batch = Batch.objects.filter(pk=checked_uuid("batch_id", batch_id), tenant=tenant).first()
    if batch is None:
        whose = f"tenant {tenant}" if tenant else "no tenant"
        raise InvalidOption(f"there is no batch {batch_id} of {whose}, which the job belongs to")
    if batch.finished_at is not None or batch.cancelled_at is not None:
        raise InvalidOption(f"batch {batch_id} is {batch.state}, and takes no more jobs")
    return batch.pk


def _known_queue(queue: str) -> str:
    known = ["", *registry.queues()]
    if queue not in known:
        raise InvalidOption(
            f"queue {queue!r} is unknown; use one that a job type declares: "
            f"{', '.join(known[1:]) or 'there is none'}; or leave it out"
        )
    return queue


def _known_tenant(slug: str | None) -> str:
    if not slug:
        return ""
    if not isinstance(slug, str) or not is_known(slug):
        raise InvalidOption(f"there is no tenant {str(slug)[:60]!r}; see `manage.py jobs tenants`")
    return slug


def _known_owner(owner_id: Any) -> Any:
    """Return the user's primary key; a wrong one would fail the caller's commit, far from here."""
    if owner_id is None:
        return None
    try:
        if get_user_model()._default_manager.filter(pk=owner_id).exists():
            return owner_id
    except (ValueError, TypeError, ValidationError):
        pass
    raise InvalidOption(f"created_by_id {owner_id!r} is no user of this site")


def _trace_id() -> str:
    run = current_run()
    if run is not None and run.trace_id:
        return run.trace_id
    bound = structlog.contextvars.get_contextvars().get("trace_id")
    return bound if isinstance(bound, str) and len(bound) == 32 else uuid4().hex


@cache
def _decider(path: str) -> PriorityDecider:
    try:
        return cast(PriorityDecider, import_string(path)())
    except Exception as error:  # noqa: BLE001 - whatever is wrong with someone's class
        raise ConfigurationError(
            f'JOBS["PRIORITY_DECIDER"] is {path!r}, which cannot be made: {error}'
        ) from None


def _priority(
    job_type: JobType, params: Mapping[str, Any], asked: Priority | str | None
) -> tuple[Priority, str]:
    if asked is not None:
        return Priority.parse(asked), Job.PrioritySource.SUBMISSION
    path = jobs_settings().priority_decider
    if path:
        decider = _decider(path)
        try:
            # A query of its own that fails must not spoil the caller's transaction.
            with sparing_the_callers():
                decided = decider.decide(job_type.name, params)
            if decided is not None:
                return Priority.parse(decided), Job.PrioritySource.DECIDER
        except Exception as error:  # noqa: BLE001 - someone else's code must not lose a job
            logger.warning(
                "priority_decider_failed", job_type=job_type.name, error_type=type(error).__name__
            )
    return job_type.priority, Job.PrioritySource.TYPE
