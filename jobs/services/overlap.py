"""What becomes of an occurrence while a job of its schedule has not ended."""

from contextlib import suppress

from jobs.domain.dependencies import After
from jobs.domain.errors import InvalidTransition
from jobs.domain.schedules import Overlap
from jobs.domain.states import FINAL, State
from jobs.models import Job, Schedule, in_states
from jobs.services.steering import cancel

#: Live jobs that one occurrence looks at.
_MOST = 1000


class Overlapping(Exception):
    """The occurrence makes no job; the message says why."""


def clear_the_way(schedule: Schedule) -> tuple[After, ...]:
    """Return which jobs of the schedule its next one has to wait for; cancel them if it says so.

    Raises:
        Overlapping: the occurrence makes no job.
    """
    if schedule.overlap == Overlap.RUN:
        return ()
    live = list(_live(schedule))
    if not live:
        return ()
    oldest = live[0]
    match Overlap(schedule.overlap):
        case Overlap.SKIP:
            raise Overlapping(f"skipped: job {oldest.pk} has not ended")
        case Overlap.QUEUE_ONE if any(job.state == State.BLOCKED for job in live):
            raise Overlapping(
                f"skipped: job {oldest.pk} has not ended, and another one waits for it"
            )
        case Overlap.CANCEL_RUNNING:
            for job in live:
                with suppress(InvalidTransition):  # it has just ended
                    cancel(job.pk, actor=f"schedule {schedule.name}")
            live = list(_live(schedule))
    return tuple(After(job.pk, on_failure="continue") for job in live)


def _live(schedule: Schedule) -> list[Job]:
    jobs = Job.objects.filter(in_states(set(State) - FINAL), schedule=schedule)
    return list(jobs.order_by("pk").only("state")[:_MOST])
