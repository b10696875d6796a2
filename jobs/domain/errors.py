"""Every error that Jobsite raises, in one tree.

::

    JobsError
    ├── ConfigurationError        a setting or a declaration is wrong; the process must not start
    ├── SubmissionError           the job was not accepted; nothing was stored
    │   ├── UnknownJobType
    │   ├── InvalidParameters     carries `problems`: (path, message) of each wrong field
    │   │   └── ParametersTooLarge
    │   ├── InvalidOption
    │   ├── DuplicateJob          the idempotency key is taken
    │   ├── QueueFull             its queue holds as many ready jobs as it may
    │   └── QuotaExceeded         its tenant has as many ready jobs as it may
    ├── JobNotFound
    ├── UnknownQueue
    ├── InvalidTransition         the job's state does not allow what was asked
    ├── ScheduleError
    │   ├── InvalidCron
    │   ├── UnknownTimeZone
    │   └── ScheduleNotFound
    ├── AccessError
    │   ├── InvalidAccess         a key, a role or a scope cannot be as it was asked for
    │   ├── KeyNotFound
    │   ├── TenantNotFound
    │   ├── HookNotFound
    │   └── BadHook               a webhook is not signed rightly, or cannot be read
    └── ExecutionError            what ends an attempt besides the handler's own exceptions
        ├── JobTimeout
        ├── JobCancelled
        ├── LostJob               another run has replaced this one
        ├── WorkerStopping        its worker's time to stop is over; the job goes on elsewhere
        ├── UnstorableResult
        ├── Unreadable            sensitive parameters were encrypted under a key that is not there
        └── UnusableOutcome       a middleware returned none, or one that cannot be recorded

What a handler raises on purpose (`Retry`, `Snooze`, `Cancel`, `PermanentError`) is an outcome, not
an error of ours: see `jobs.domain.outcomes`.
"""

from collections.abc import Sequence
from datetime import timedelta


class JobsError(Exception):
    """The root of the tree: catch it to catch everything that Jobsite itself raises."""


class ConfigurationError(JobsError):
    """A setting or a declaration is wrong; the message names it and the remedy."""


class SubmissionError(JobsError):
    """The job was not accepted, and nothing was stored."""


class UnknownJobType(SubmissionError):
    """No job type of that name is registered."""


class InvalidParameters(SubmissionError):
    """The parameters do not fit the job type's model.

    Attributes:
        problems: one `(path, message)` for each wrong field; the path is dotted, as in
            `period.start`, and empty when the parameters as a whole are wrong.
    """

    def __init__(self, job_type: str, problems: Sequence[tuple[str, str]]) -> None:
        self.job_type = job_type
        self.problems = tuple(problems)
        told = "; ".join(f"{path or 'parameters'}: {message}" for path, message in self.problems)
        super().__init__(f"parameters of {job_type} are wrong: {told}")


class ParametersTooLarge(InvalidParameters):
    """The parameters have more bytes than may be stored."""


class InvalidOption(SubmissionError):
    """A submission option has a value that cannot be used; the message names both."""


class DuplicateJob(SubmissionError):
    """The idempotency key belongs to another job already.

    Attributes:
        job_id: the job that holds the key.
    """

    def __init__(self, message: str, *, job_id: object) -> None:
        self.job_id = job_id
        super().__init__(message)


class BatchNotFound(JobsError):
    """There is no such batch."""


class BatchClosed(JobsError):
    """The batch has finished, or was cancelled."""


class QueueFull(SubmissionError):
    """The job's queue holds as many ready jobs as it may: later there is room again.

    Attributes:
        queue: its name, such as `low` or `mail.high`.
        capacity: how many ready jobs it holds, at most.
        retry_after: how long to wait before it is tried again.
    """

    def __init__(self, queue: str, *, capacity: int, retry_after: timedelta) -> None:
        self.queue = queue
        self.capacity = capacity
        self.retry_after = retry_after
        super().__init__(
            f"queue {queue} is full: it holds {capacity} ready jobs, which is its capacity; submit "
            f"again in {retry_after.total_seconds():g} s, run more workers, or raise QUEUE_SIZE "
            "(see `manage.py jobs autotune`)"
        )


class QuotaExceeded(SubmissionError):
    """The job's tenant has as many ready jobs as it may: later there is room again.

    Attributes:
        tenant: its slug.
        quota: how many ready jobs it may have, at most.
        retry_after: how long to wait before it is tried again.
    """

    def __init__(self, tenant: str, *, quota: int, retry_after: timedelta) -> None:
        self.tenant = tenant
        self.quota = quota
        self.retry_after = retry_after
        super().__init__(
            f"tenant {tenant} has {quota} ready jobs, which is its quota; submit again in "
            f"{retry_after.total_seconds():g} s, or raise the tenant's max_ready"
        )


class JobNotFound(JobsError):
    """No job has that id."""


class UnknownQueue(JobsError):
    """No queue has that name; the message lists those there are."""


class InvalidTransition(JobsError):
    """The job's state does not allow what was asked of it."""


class ScheduleError(JobsError):
    """A schedule cannot be kept as it was given."""


class InvalidCron(ScheduleError):
    """The cron expression cannot be read; the message says where and what would be right."""


class UnknownTimeZone(ScheduleError):
    """The time zone is not one of the IANA database."""


class ScheduleNotFound(ScheduleError):
    """No schedule has that name."""


class AccessError(JobsError):
    """Something about who may do what."""


class InvalidAccess(AccessError):
    """A key, a role or a scope cannot be as it was asked for; the message says what can."""


class KeyNotFound(AccessError):
    """No API key has that prefix."""


class TenantNotFound(AccessError):
    """No tenant has that slug."""


class HookNotFound(AccessError):
    """No source of webhooks has that name."""


class BadHook(AccessError):
    """A webhook is not signed rightly, or cannot be read.

    Attributes:
        signed: whether its signature is right, and something else is wrong.
    """

    def __init__(self, message: str, *, signed: bool) -> None:
        self.signed = signed
        super().__init__(message)


class ExecutionError(JobsError):
    """What ends an attempt besides the exceptions of the handler's own."""


class JobTimeout(ExecutionError):
    """The attempt ran for longer than its timeout."""


class JobCancelled(ExecutionError):
    """Someone asked for this running job to be cancelled."""


class LostJob(ExecutionError):
    """This run was replaced by another one; whatever it does now is not recorded."""


class WorkerStopping(ExecutionError):
    """The worker's time to stop is over: this run ends, and the job goes on elsewhere."""


class UnstorableResult(ExecutionError):
    """The handler returned something that cannot be stored as JSON, or is too large."""


class Unreadable(ExecutionError):
    """Sensitive parameters were encrypted under a key that is not there, or for another type."""


class UnusableOutcome(ExecutionError):
    """What the run ended in is no outcome, or cannot be recorded as one."""
