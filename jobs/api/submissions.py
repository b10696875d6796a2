"""What submissions look like over HTTP, and what they become."""

from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from jobs.api.parsing import Body, Count, Moment, Number
from jobs.domain.access import Principal
from jobs.domain.backoff import LONGEST_WAIT, Backoff, Jitter, Kind
from jobs.domain.dependencies import MOST, After, OnFailure
from jobs.domain.errors import ConfigurationError, InvalidOption
from jobs.domain.options import (
    LONGEST_TIMEOUT,
    MAX_KEY_LENGTH,
    MAX_TAG_LENGTH,
    MAX_TAGS,
    OnDuplicate,
    SubmitOptions,
)
from jobs.domain.priority import PriorityName
from jobs.domain.registry import registry
from jobs.domain.submission import NewJob

_LONGEST = LONGEST_WAIT.total_seconds()
Tag = Annotated[str, Field(min_length=1, max_length=MAX_TAG_LENGTH)]
Wait = Annotated[Number, Field(ge=0, le=_LONGEST)]


class BackoffIn(Body):
    """How long to wait before each next attempt."""

    kind: Kind = "exponential"
    base_seconds: Wait = 2
    cap_seconds: Wait = 300
    factor: Annotated[Number, Field(ge=1, le=100)] = 2
    jitter: Jitter = "full"

    def as_backoff(self) -> Backoff:
        """Return it as the engine has it.

        Raises:
            InvalidOption: the parts do not go together.
        """
        try:
            return Backoff(
                kind=self.kind,
                base=timedelta(seconds=self.base_seconds),
                cap=timedelta(seconds=self.cap_seconds),
                factor=self.factor,
                jitter=self.jitter,
            )
        except ConfigurationError as error:
            raise InvalidOption(str(error)) from None


class AfterIn(Body):
    """A job to wait for, and what its failure means."""

    job_id: UUID
    on_failure: OnFailure = Field(
        default="fail",
        description="What becomes of the one that waits if this one fails or is cancelled: it "
        "fails too, it is skipped (cancelled), or it goes on.",
    )


class JobIn(Body):
    """A job to be submitted."""

    type: str = Field(
        max_length=100, description="The name of a job type, as `/api/jobs/types` lists them."
    )
    params: dict[str, Any] = Field(default={}, description="What the type's schema says.")
    priority: PriorityName | None = Field(
        default=None, description="Left out: the decider's, or the type's own."
    )
    queue: str | None = Field(
        default=None, max_length=60, description="Instead of the type's own queue."
    )
    delay_seconds: Wait | None = Field(
        default=None, description="Run after so long; not together with `run_at`."
    )
    run_at: Moment | None = Field(
        default=None, description="Run at this moment; one that has passed means now."
    )
    idempotency_key: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_KEY_LENGTH,
        description="A second submission with the same key and type finds the first one's job. "
        "The header `Idempotency-Key` says the same.",
    )
    on_duplicate: OnDuplicate | None = Field(
        default=None,
        description="What a second submission does: find the job (`ignore`), replace it while it "
        "waits, or fail.",
    )
    unique: Literal["waiting", "active"] | None = Field(
        default=None,
        description="There is no other one like it until it starts, or until it ends; a second "
        "submission does what `on_duplicate` says.",
    )
    unique_for_seconds: Annotated[Number, Field(gt=0, le=_LONGEST)] | None = Field(
        default=None, description="The same for so long; not together with `unique`."
    )
    result_ttl_seconds: Annotated[Number, Field(gt=0, le=_LONGEST)] | None = Field(
        default=None,
        description="A job like it that runs, or that completed no longer ago, answers for it.",
    )
    unique_key: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_KEY_LENGTH,
        description="What makes another one like it; left out: the same parameters.",
    )
    max_attempts: Annotated[Count, Field(ge=1, le=1000)] | None = Field(
        default=None, description="Every run counts, the first included."
    )
    max_retries: Annotated[Count, Field(ge=0, le=999)] | None = Field(
        default=None, description="The same as `max_attempts - 1`; not together with it."
    )
    timeout_seconds: Annotated[Number, Field(gt=0, le=LONGEST_TIMEOUT.total_seconds())] | None = (
        Field(default=None, description="Of one attempt.")
    )
    backoff: BackoffIn | None = None
    expires_in_seconds: Annotated[Number, Field(gt=0, le=_LONGEST)] | None = Field(
        default=None, description="Fail as expired if it has not started so long after it may run."
    )
    tenant: str | None = Field(
        default=None, max_length=50, description="Whose it is. A tenant's own key need not say it."
    )
    tags: Annotated[list[Tag], Field(max_length=MAX_TAGS)] | None = Field(
        default=None, description="What it is found by."
    )
    concurrency_key: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_KEY_LENGTH,
        description="No more jobs of the type with the same key run at once than the type says.",
    )
    batch_id: UUID | None = Field(
        default=None, description="The batch that it is put into, which has not finished."
    )
    depends_on: Annotated[list[UUID | AfterIn], Field(max_length=MOST)] | None = Field(
        default=None, description="Jobs to wait for: it is blocked until they have ended."
    )
    event_id: UUID | None = Field(default=None, description="The event that leads to the job.")
    parent_id: UUID | None = Field(default=None, description="The job that leads to this one.")

    def as_new_job(self, principal: Principal, *, key: str | None = None) -> NewJob:
        """Return the submission as the engine takes it, its parameters checked strictly.

        Args:
            principal: who submits it.
            key: an idempotency key from elsewhere.

        Raises:
            SubmissionError: it cannot be accepted as it is.
        """
        if key is not None and self.idempotency_key not in {None, key}:
            raise InvalidOption(
                "idempotency_key and the header Idempotency-Key differ; give one of them"
            )
        if self.unique is not None and self.unique_for_seconds is not None:
            raise InvalidOption("unique and unique_for_seconds were both given; give one of them")
        params = registry.get(self.type).parse_json(self.params)
        seconds = {
            "delay": self.delay_seconds,
            "timeout": self.timeout_seconds,
            "expires_in": self.expires_in_seconds,
        }
        options: SubmitOptions = {
            "priority": self.priority,
            "queue": self.queue,
            "run_at": self.run_at,
            "idempotency_key": key or self.idempotency_key,
            "on_duplicate": self.on_duplicate,
            "unique": self.unique or _length(self.unique_for_seconds),
            "result_ttl": _length(self.result_ttl_seconds),
            "unique_key": self.unique_key,
            "max_attempts": self.max_attempts,
            "max_retries": self.max_retries,
            "event_id": self.event_id,
            "parent_id": self.parent_id,
            "created_by_id": principal.user_id,
            "tenant": tenant_of(self.tenant, principal),
            "tags": self.tags,
            "concurrency_key": self.concurrency_key,
            "batch_id": self.batch_id,
            "depends_on": [_after(each) for each in self.depends_on or ()],
            "backoff": self.backoff.as_backoff() if self.backoff else None,
            **{  # type: ignore[typeddict-item] # their names are those of the options
                name: timedelta(seconds=length)
                for name, length in seconds.items()
                if length is not None
            },
        }
        return NewJob(self.type, params, options)


def _length(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _after(given: UUID | AfterIn) -> After:
    return After(given) if isinstance(given, UUID) else After(given.job_id, given.on_failure)


def tenant_of(asked: str | None, principal: Principal) -> str:
    """Return whose a thing is that the principal makes: its own tenant's, or the one it asks for.

    Raises:
        InvalidOption: it sees one tenant alone, and asks for another.
    """
    if principal.tenant and asked not in {None, principal.tenant}:
        # As if there were no other: who asks may not know which there are.
        raise InvalidOption(f"there is no tenant {str(asked)[:60]!r}")
    return principal.tenant or asked or ""
