"""What an attempt can end in: what a handler raises to say so, and the decision that follows."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from jobs.domain.backoff import LONGEST_WAIT, Backoff
from jobs.domain.errors import JobCancelled, JobTimeout, UnstorableResult, WorkerStopping
from jobs.domain.states import FailureReason


class PermanentError(Exception):
    """Raised by a handler: trying again cannot help. The job fails at once."""


class Retry(Exception):
    """Raised by a handler: try again, after so long. Spends an attempt.

    Args:
        message: why, for people.
        after: the wait; None for the job's own back-off.
    """

    def __init__(self, message: str = "", *, after: timedelta | None = None) -> None:
        if after is not None and not timedelta(0) <= after <= LONGEST_WAIT:
            raise ValueError(f"Retry(after={after}) must be from 0 to {LONGEST_WAIT.days} days")
        self.after = after
        super().__init__(message or "the handler asked for another attempt")


class Snooze(Exception):
    """Raised by a handler: nothing is wrong, look again later. Spends no attempt.

    Args:
        for_: how long to sleep.
        message: why, for people.
    """

    def __init__(self, for_: timedelta, message: str = "") -> None:
        if not timedelta(0) <= for_ <= LONGEST_WAIT:
            raise ValueError(f"Snooze(for_={for_}) must be from 0 to {LONGEST_WAIT.days} days")
        self.for_ = for_
        super().__init__(message or "the handler asked to be called again later")


class Cancel(Exception):
    """Raised by a handler: the job has become pointless. It ends as cancelled."""


@dataclass(frozen=True, slots=True)
class Completed:
    """The handler returned; `result` is what is stored."""

    result: Any = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The job failed for good."""

    reason: FailureReason
    error: BaseException


@dataclass(frozen=True, slots=True)
class Retrying:
    """The attempt failed, and another follows after `delay`."""

    delay: timedelta
    error: BaseException


@dataclass(frozen=True, slots=True)
class Snoozed:
    """The handler asked to be called again after `delay`; no attempt is spent."""

    delay: timedelta
    message: str


@dataclass(frozen=True, slots=True)
class Released:
    """The run was ended for a reason that is not the job's; it is ready again at once.

    No attempt is spent.

    Attributes:
        why: for people.
        alone: whether it may be the one that its worker died of: it is taken alone next.
    """

    why: str
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The job ended as cancelled while it ran."""

    message: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The process that ran the job died with it.

    Attributes:
        why: what is known of the death.
        losses: deaths in a row, this one included.
        delay: until the next run; None if there have been too many.
    """

    why: str
    losses: int
    delay: timedelta | None


Outcome = Completed | Failed | Retrying | Snoozed | Released | Cancelled | Lost


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """What decides whether another attempt follows.

    Attributes:
        max_attempts: every run counts, the first included.
        permanent: exceptions of the handler's that no retry can help.
    """

    max_attempts: int
    backoff: Backoff
    permanent: tuple[type[BaseException], ...] = ()

    def decide(self, error: BaseException, *, attempt: int) -> Outcome:
        """Return the outcome of an attempt (from 1) that ended in this exception."""
        if isinstance(error, Snooze):
            return Snoozed(error.for_, str(error))
        if isinstance(error, WorkerStopping):
            return Released(str(error))
        if isinstance(error, (Cancel, JobCancelled)):
            return Cancelled(str(error) or "the handler cancelled the job")
        if isinstance(error, (PermanentError, UnstorableResult, *self.permanent)):
            return Failed(_reason(error, FailureReason.PERMANENT_ERROR), error)
        if attempt >= self.max_attempts:
            return Failed(_reason(error, FailureReason.RETRIES_EXHAUSTED), error)
        after = error.after if isinstance(error, Retry) else None
        return Retrying(self.backoff.delay(attempt) if after is None else after, error)


def _reason(error: BaseException, otherwise: FailureReason) -> FailureReason:
    return FailureReason.TIMEOUT if isinstance(error, JobTimeout) else otherwise
