"""The options of a submission."""

import difflib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypedDict, get_args
from uuid import UUID

from jobs.domain.backoff import LONGEST_WAIT, Backoff
from jobs.domain.dependencies import After
from jobs.domain.errors import InvalidOption
from jobs.domain.priority import Priority
from jobs.domain.unique import Unique

OnDuplicate = Literal["ignore", "replace", "error"]
MAX_KEY_LENGTH = 200
MAX_TAGS = 20
MAX_TAG_LENGTH = 50
LONGEST_TIMEOUT = timedelta(days=366)
_TRACE = re.compile(r"[0-9a-f]{32}")


class SubmitOptions(TypedDict, total=False):
    """What a submission may say beside the job type and its parameters; all of it optional."""

    #: Run after this long; not together with `run_at`.
    delay: timedelta | None
    #: Run at this moment, aware; one that has passed means now.
    run_at: datetime | None
    #: Named, or left to the decider and the job type.
    priority: Priority | str | None
    #: Instead of the job type's own queue.
    queue: str | None
    #: A second submission with the same key and job type finds the first one's job.
    idempotency_key: str | None
    #: What a second submission does: find the job, replace it while it waits, or raise.
    on_duplicate: OnDuplicate | None
    #: There is no other one like it until it starts, until it ends, or for so long.
    unique: Unique | None
    #: A job like it that runs, or that completed no longer ago than this, answers for it.
    result_ttl: timedelta | None
    #: What makes another one like it; left out: the same parameters.
    unique_key: str | None
    #: Every run counts, the first included.
    max_attempts: int | None
    #: The same as `max_attempts - 1`; not together with it.
    max_retries: int | None
    #: Of one attempt.
    timeout: timedelta | None
    backoff: Backoff | None
    #: Fail as expired if it has not started so long after it may run.
    expires_in: timedelta | None
    #: The batch that it belongs to, which has not finished.
    batch_id: UUID | str | None
    #: It is blocked until these have ended: ids, or `After(id, on_failure=…)`.
    depends_on: Sequence[UUID | str | After] | None
    #: No more jobs of the type with the same key run at once than its `concurrency_per_key`.
    concurrency_key: str | None
    #: The event that leads to this job.
    event_id: UUID | None
    #: The job that leads to this one.
    parent_id: UUID | None
    #: The primary key of the user on whose behalf the job runs.
    created_by_id: Any
    #: Whose the job is: a tenant's slug; empty or left out: nobody's.
    tenant: str | None
    #: What the job is found by: at most 20 texts of 50 characters.
    tags: Sequence[str] | None
    #: 32 hex digits; taken from the request in progress, or made, if left out.
    trace_id: str
    #: What makes the job: see `Job.Trigger`.
    trigger: str


def check_options(options: Mapping[str, Any]) -> None:
    """Do nothing if each option is one of a submission, and `on_duplicate` says what is known.

    Raises:
        InvalidOption: one is misspelt, or cannot be used; the message suggests what was meant.
    """
    for name in options.keys() - SubmitOptions.__annotations__.keys():
        close = difflib.get_close_matches(name, SubmitOptions.__annotations__, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "see jobs.domain.options.SubmitOptions"
        raise InvalidOption(f"there is no option {name!r} of a submission; {hint}")
    policy = options.get("on_duplicate")
    if policy is not None and policy not in get_args(OnDuplicate):
        raise InvalidOption(f"on_duplicate must be ignore, replace or error, not {policy!r}")
    if policy == "replace" and options.get("depends_on"):
        raise InvalidOption(
            "on_duplicate='replace' and depends_on were both given; cancel the earlier job, and "
            "submit with another key"
        )


def moment_of(*, delay: timedelta | None, run_at: datetime | None, now: datetime) -> datetime:
    """Return when the job may run: never before now.

    Raises:
        InvalidOption: both are given, or one cannot be used; the message names it.
    """
    if delay is not None and run_at is not None:
        raise InvalidOption("delay and run_at were both given; give one of them")
    _check_kind("delay", delay, timedelta)
    _check_kind("run_at", run_at, datetime)
    if delay is not None:
        if not timedelta(0) <= delay <= LONGEST_WAIT:
            raise InvalidOption(f"delay {delay} must be from 0 to {LONGEST_WAIT.days} days")
        return now + delay
    if run_at is None:
        return now
    if run_at.tzinfo is None:
        raise InvalidOption(
            f"run_at {run_at.isoformat()} is naive; give it a time zone, such as "
            f"{run_at.isoformat()}+00:00"
        )
    if run_at - now > LONGEST_WAIT:
        raise InvalidOption(
            f"run_at {run_at.isoformat()} is more than {LONGEST_WAIT.days} days ahead"
        )
    # In UTC: PostgreSQL knows no zone that is 16 hours or more from it.
    return max(run_at, now).astimezone(UTC)


def attempts_of(*, max_attempts: int | None, max_retries: int | None) -> int | None:
    """Return how many attempts were asked for, or None if nothing was said.

    Raises:
        InvalidOption: both are given, or the number cannot be used.
    """
    if max_attempts is not None and max_retries is not None:
        raise InvalidOption("max_attempts and max_retries were both given; give one of them")
    _check_kind("max_attempts", max_attempts, int)
    _check_kind("max_retries", max_retries, int)
    asked = max_retries + 1 if max_retries is not None else max_attempts
    if asked is not None and not 1 <= asked <= 1000:
        raise InvalidOption(f"max_attempts must be from 1 to 1000, not {asked}")
    return asked


def checked_tags(tags: Sequence[str] | None) -> tuple[str, ...]:
    """Return the tags, each once.

    Raises:
        InvalidOption: one cannot be used, or there are too many.
    """
    if tags is None:
        return ()
    if isinstance(tags, str) or not all(isinstance(tag, str) for tag in tags):
        raise InvalidOption(f"tags must be a list of texts, not {str(tags)[:40]!r}")
    for tag in tags:
        if not 0 < len(tag) <= MAX_TAG_LENGTH or not tag.isprintable():
            raise InvalidOption(
                f"a tag must be 1 to {MAX_TAG_LENGTH} printable characters, not {tag[:60]!r}"
            )
    if len(tags) > MAX_TAGS:
        raise InvalidOption(f"{len(tags)} tags were given; a job may have {MAX_TAGS}")
    return tuple(dict.fromkeys(tags))


def checked_trace(trace_id: str) -> str:
    """Return the trace id.

    Raises:
        InvalidOption: it is not 32 hex digits.
    """
    if trace_id and not _TRACE.fullmatch(str(trace_id)):
        raise InvalidOption(f"trace_id must be 32 hex digits, not {str(trace_id)[:40]!r}")
    return trace_id


def _check_kind(name: str, value: object, kind: type) -> None:
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        raise InvalidOption(f"{name} must be a {kind.__name__}, not {value!r}")


def checked_key(key: str | None, *, name: str = "idempotency_key") -> str | None:
    """Return the key.

    Args:
        key: a text; None: none.
        name: of the option, for the error.

    Raises:
        InvalidOption: it is empty, too long or has characters that cannot be printed.
    """
    if key is None:
        return None
    text = isinstance(key, str) and 0 < len(key) <= MAX_KEY_LENGTH and key.isprintable()
    if not text:
        raise InvalidOption(
            f"{name} must be 1 to {MAX_KEY_LENGTH} printable characters, not "
            f"{str(key)[:40]!r}{'…' if len(str(key)) > 40 else ''}"
        )
    return key
