"""The middleware chain around each handler, put together from `JOBS["MIDDLEWARE"]`.

A middleware is a class, as Django's own are: it is made once with the rest of the chain, and called
with each `Execution`. It returns the outcome of the rest, or, to cut it short, one of its own::

    class OfficeHours:
        def __init__(self, get_outcome: Next) -> None:
            self.get_outcome = get_outcome

        def __call__(self, execution: Execution) -> Outcome:
            if office_is_closed():
                return Snoozed(timedelta(hours=1), "the office is closed")
            return self.get_outcome(execution)
"""

from collections.abc import Sequence
from functools import cache

from django.utils.module_loading import import_string

from jobs.conf import jobs_settings
from jobs.domain.errors import ConfigurationError, UnstorableResult
from jobs.domain.outcomes import Completed, Outcome
from jobs.domain.storable import storable
from jobs.runtime.execution import Execution, Next
from jobs.runtime.interruption import interruption


def chain() -> Next:
    """Return the chain that the settings name.

    Raises:
        ConfigurationError: a middleware cannot be imported.
    """
    return _compose(tuple(jobs_settings().middleware))


@cache
def _compose(paths: Sequence[str]) -> Next:
    composed: Next = _call_handler
    for path in reversed(paths):
        try:
            middleware = import_string(path)
        except ImportError as error:
            raise ConfigurationError(
                f'JOBS["MIDDLEWARE"] names {path!r}, which cannot be imported: {error}'
            ) from None
        composed = middleware(composed)
    return composed


def _call_handler(execution: Execution) -> Outcome:
    with interruption.armed(execution.job):
        result = execution.job_type.handler(execution.params, execution.context)
    try:
        return Completed(storable(result, limit_bytes=jobs_settings().max_result_bytes))
    except ValueError as error:
        # The work is done by then: to do it again would not make its result any better.
        raise UnstorableResult(f"the result cannot be stored: {error}") from None
