"""Puts jobs off whose outside service fails again and again: see `jobs.services.breakers`."""

from contextlib import suppress

from django.db import DatabaseError

from jobs.domain.outcomes import Completed, Failed, Outcome, Retrying, Snoozed
from jobs.domain.states import FailureReason
from jobs.runtime.execution import Execution, Next
from jobs.services import breakers


class BreakerMiddleware:
    """Runs what its service allows, and notes how the service did; types without one cost nothing.

    It stands outside `RetriesMiddleware`, since it goes by outcomes.
    """

    def __init__(self, get_outcome: Next) -> None:
        self.get_outcome = get_outcome

    def __call__(self, execution: Execution) -> Outcome:
        """Return the outcome of the rest, or put the job off with no attempt spent."""
        service = execution.job_type.service_of(execution.params)
        if not service:
            return self.get_outcome(execution)
        wait = None
        with suppress(DatabaseError):  # it is away: the run itself will show what is to be done
            wait = breakers.wait_for(service)
        if wait is not None:
            return Snoozed(wait, f"{service} fails again and again: it is left alone for a while")
        outcome = self.get_outcome(execution)
        with suppress(DatabaseError):
            _note(service, outcome)
        return outcome


def _note(service: str, outcome: Outcome) -> None:
    match outcome:
        case Completed() | Failed(reason=FailureReason.PERMANENT_ERROR):
            breakers.note_success(service)  # it has answered
        case Retrying(error=error) | Failed(error=error):
            breakers.note_failure(service, f"{type(error).__name__}: {error}")
        case _:
            pass
