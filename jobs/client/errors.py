"""What can go wrong for a client.

::

    ApiError
    ├── Unreachable      no answer, or one that is none of the API's; it was tried several times
    ├── Refused          400, 413, 422: what was sent is wrong; `problem.errors` says where
    ├── NotAllowed       401, 403: the key is wrong, or may not do this
    ├── NotFound         404: there is no such thing, or the key may not see it
    ├── Conflict         409: the state of things does not allow it
    ├── TooMany          429: no room, or too much was sent; `retry_after` says how long to wait
    ├── JobFailed        the job that was waited for did not complete; `job` is it
    └── WaitedTooLong    the job that was waited for has not ended yet; `job` is it
"""

from datetime import timedelta

from jobs.domain import wire


class ApiError(Exception):
    """The root of the tree.

    Attributes:
        problem: what the site answered; None if it was not the site that answered.
    """

    def __init__(self, message: str, *, problem: wire.ProblemDetails | None = None) -> None:
        super().__init__(message)
        self.problem = problem


class Unreachable(ApiError):
    """The site did not answer, or with something that is not the API's."""


class Refused(ApiError):
    """What was sent is wrong."""


class NotAllowed(ApiError):
    """The key is wrong, or may not do this."""


class NotFound(ApiError):
    """There is no such thing, or the key may not see it."""


class Conflict(ApiError):
    """The state of things does not allow it."""


class TooMany(ApiError):
    """There is no room, or too much was sent.

    Attributes:
        retry_after: how long to wait before it is tried again.
    """

    def __init__(
        self, message: str, *, problem: wire.ProblemDetails | None, retry_after: timedelta
    ) -> None:
        super().__init__(message, problem=problem)
        self.retry_after = retry_after


class _OfAJob(ApiError):
    def __init__(self, message: str, job: wire.WholeJob) -> None:
        super().__init__(message)
        self.job = job


class JobFailed(_OfAJob):
    """The job that was waited for failed or was cancelled."""


class WaitedTooLong(_OfAJob):
    """The job that was waited for has not ended yet."""


KINDS: dict[int, type[ApiError]] = {
    400: Refused,
    401: NotAllowed,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    413: Refused,
    422: Refused,
}
