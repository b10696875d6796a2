"""Rings again for jobs that this worker's profile forbids it, so that another worker hears."""

import time

from jobs.runtime.worker_process import worker_process
from jobs.selectors.backlog import ready_of_other_types
from jobs.selectors.workers import others_may_take
from jobs.services.doorbell import ring

#: From one ring to the next: this worker may well be the one that hears it.
PAUSE_SECONDS = 0.1


def pass_on(queues: list[str], job_types: frozenset[str]) -> None:
    """Ring for ready jobs of other types than these, if another live worker may take them.

    At most some ten times a second, of all the processes of this worker together.
    """
    waiting = ready_of_other_types(queues, job_types)
    wanted = others_may_take(worker_process.worker_id, waiting) if waiting else set()
    # If not, another process of this worker is about to ring.
    if wanted and worker_process.may_pass_on(PAUSE_SECONDS):
        time.sleep(PAUSE_SECONDS)
        ring(wanted)
