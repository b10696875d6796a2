"""What may be asked of a job in each of its states, through the public functions."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from jobs import public
from jobs.domain.errors import InvalidTransition
from jobs.domain.states import FINAL, State
from jobs.models import AuditEntry, Job

#: What cancelling leads to; a running job goes on until its handler reports.
CANCELLED = {
    "blocked": "cancelled",
    "scheduled": "cancelled",
    "queued": "cancelled",
    "retrying": "cancelled",
    "running": "running",
    "cancelled": "cancelled",
}
RETRIED = {"failed": "queued", "cancelled": "queued"}
pytestmark = pytest.mark.usefixtures("memory")


@pytest.fixture
def job_in(memory: None) -> Callable[[State], Job]:
    """Return a stored job in a state."""

    def make(state: State) -> Job:
        job_id = public.submit("sample.echo").job_id
        finished_at = timezone.now() if state in FINAL else None
        Job.objects.filter(pk=job_id).update(state=state, finished_at=finished_at)
        return public.get(job_id)

    return make


def stored(job: Job) -> dict[str, Any]:
    return dict(Job.objects.filter(pk=job.pk).values().get())


@pytest.mark.parametrize("state", State)
def test_a_job_is_cancelled_from_every_state_but_completed_and_failed(
    job_in: Callable[[State], Job], state: State
) -> None:
    job = job_in(state)
    before = stored(job)
    if state not in CANCELLED:
        with pytest.raises(InvalidTransition, match=f"{job.pk} is {state}"):
            public.cancel(job.pk)
        assert stored(job) == before
        assert not AuditEntry.objects.exists()
        return
    assert public.cancel(job.pk).state == CANCELLED[state]
    after = public.get(job.pk)
    assert after.state == CANCELLED[state]
    assert (after.cancel_requested_at is not None) == (state != State.CANCELLED)
    assert AuditEntry.objects.filter(action="job.cancel").exists() == (state != State.CANCELLED)


@pytest.mark.parametrize("state", State)
def test_a_job_is_retried_once_it_has_failed_or_was_cancelled_and_not_before(
    job_in: Callable[[State], Job], state: State
) -> None:
    job = job_in(state)
    before = stored(job)
    if state not in RETRIED:
        with pytest.raises(InvalidTransition, match=f"{job.pk} is {state}"):
            public.retry(job.pk)
        assert stored(job) == before
        assert not AuditEntry.objects.exists()
        return
    assert public.retry(job.pk).state == RETRIED[state]
    assert public.get(job.pk).state == RETRIED[state]
    assert public.get(job.pk).finished_at is None
    assert AuditEntry.objects.filter(action="job.retry").exists()
