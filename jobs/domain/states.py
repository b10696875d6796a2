"""The states of a job, and which may follow which."""

from enum import StrEnum

from jobs.domain.errors import InvalidTransition


class State(StrEnum):
    """Where a job is in its life."""

    #: Waits for other jobs to end.
    BLOCKED = "blocked"
    #: Its `run_at` is ahead.
    SCHEDULED = "scheduled"
    #: Ready: the next free worker of its queue takes it.
    QUEUED = "queued"
    #: A worker has taken it.
    RUNNING = "running"
    #: An attempt failed or was put off; `run_at` is the next one.
    RETRYING = "retrying"
    #: Ended well. Final.
    COMPLETED = "completed"
    #: Ended badly, for good: the dead-letter queue. Final until someone retries it.
    FAILED = "failed"
    #: Stopped by someone. Final until someone retries it.
    CANCELLED = "cancelled"


class FailureReason(StrEnum):
    """Why a failed job is failed."""

    PERMANENT_ERROR = "permanent_error"
    RETRIES_EXHAUSTED = "retries_exhausted"
    TIMEOUT = "timeout"
    WORKER_LOST = "worker_lost"
    EXPIRED = "expired"
    DEPENDENCY_FAILED = "dependency_failed"


FINAL = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED})
#: Not running and not final: cancelling one of these is final at once.
WAITING = frozenset({State.BLOCKED, State.SCHEDULED, State.QUEUED, State.RETRYING})
#: What the timekeeper moves to `queued` when its time has come.
TIMED = frozenset({State.SCHEDULED, State.RETRYING})
RETRYABLE = frozenset({State.FAILED, State.CANCELLED})

TRANSITIONS: dict[State, frozenset[State]] = {
    State.BLOCKED: frozenset({State.QUEUED, State.SCHEDULED, State.FAILED, State.CANCELLED}),
    State.SCHEDULED: frozenset({State.QUEUED, State.FAILED, State.CANCELLED}),
    State.QUEUED: frozenset({State.RUNNING, State.FAILED, State.CANCELLED}),
    State.RUNNING: frozenset({State.QUEUED, State.RETRYING, *FINAL}),
    State.RETRYING: frozenset({State.QUEUED, State.FAILED, State.CANCELLED}),
    State.COMPLETED: frozenset(),
    State.FAILED: frozenset({State.QUEUED, State.BLOCKED}),
    State.CANCELLED: frozenset({State.QUEUED, State.BLOCKED}),
}

#: Names that other systems use, each with the states it stands for in a filter.
ALIASES: dict[str, frozenset[State]] = {
    "pending": WAITING,
    "waiting": frozenset({State.QUEUED}),
    "active": frozenset({State.RUNNING}),
    "processing": frozenset({State.RUNNING}),
    "delayed": TIMED,
    "success": frozenset({State.COMPLETED}),
    "dead": frozenset({State.FAILED}),
}


def states_named(name: str) -> frozenset[State]:
    """Return the states that a state's name or an alias of it stands for, in any case.

    Raises:
        ValueError: the name is neither; the message lists those that are.
    """
    wanted = name.strip().lower()
    if wanted in ALIASES:
        return ALIASES[wanted]
    try:
        return frozenset({State(wanted)})
    except ValueError:
        known = ", ".join([*State, *ALIASES])
        raise ValueError(f"{name!r} is not a state of a job; use one of: {known}") from None


def check_transition(before: State, after: State) -> None:
    """Do nothing if a job may go from one state to the other.

    Raises:
        InvalidTransition: it may not; the message names both and what would be allowed.
    """
    if after in TRANSITIONS[before]:
        return
    allowed = ", ".join(sorted(TRANSITIONS[before])) or "nothing: it is final"
    raise InvalidTransition(
        f"a job that is {before} cannot become {after}; from {before} it may become: {allowed}"
    )
