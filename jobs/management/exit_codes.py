"""The exit codes of `manage.py jobs`, for scripts."""

from enum import IntEnum

from django.db import Error as DatabaseError

from jobs.client import ApiError, Conflict, NotFound, Refused
from jobs.domain.errors import (
    BatchClosed,
    BatchNotFound,
    ConfigurationError,
    DuplicateJob,
    HookNotFound,
    InvalidTransition,
    JobNotFound,
    JobsError,
    KeyNotFound,
    QueueFull,
    ScheduleNotFound,
    TenantNotFound,
    UnknownQueue,
)


class ExitCode(IntEnum):
    """What a verb's exit code means."""

    #: It did what it was asked.
    DONE = 0
    #: It could not, or the job that it waited for did not complete.
    FAILED = 1
    #: What it was given is wrong: an option, a parameter, a name of a job type.
    USAGE = 2
    #: There is no such job, schedule or queue.
    NOT_FOUND = 3
    #: The job's state does not allow it, or its idempotency key is taken.
    CONFLICT = 4
    #: It waited for as long as it was told, and the job has not ended.
    TIMED_OUT = 5
    #: Ctrl-C ended it, as shells say it: 128 and the signal's number.
    INTERRUPTED = 130


def exit_code_of(error: JobsError | ApiError | ValueError | DatabaseError) -> ExitCode:
    """Return the exit code for an error, of this site or of another one."""
    match error:
        case Refused():
            return ExitCode.USAGE
        case (
            JobNotFound()
            | BatchNotFound()
            | ScheduleNotFound()
            | UnknownQueue()
            | KeyNotFound()
            | TenantNotFound()
            | HookNotFound()
            | NotFound()
        ):
            return ExitCode.NOT_FOUND
        case InvalidTransition() | BatchClosed() | DuplicateJob() | Conflict():
            return ExitCode.CONFLICT
        case ConfigurationError() | QueueFull() | DatabaseError() | ApiError():
            return ExitCode.FAILED
        case _:
            return ExitCode.USAGE
