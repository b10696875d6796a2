"""A site that has nothing to do costs next to nothing."""

import time

import psutil
import pytest

from jobs.models import Leadership
from tests.stack import Process, eventually

SECONDS = 10


def cpu_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


@pytest.mark.usefixtures("transactional_db")
def test_the_timekeeper_waits_without_spinning(beat: Process) -> None:
    eventually(lambda: Leadership.objects.filter(holder__contains=f":{beat.pid}:").exists(), 20)
    before = cpu_seconds(beat.pid)
    # Time itself is what is measured here: of a processor, so that a busy machine does not matter.
    time.sleep(SECONDS)
    # Less than 1 % when it is alone on the machine, 1.2 % beside other work, which makes each
    # instruction dearer; one that spins takes a hundred.
    assert (cpu_seconds(beat.pid) - before) / SECONDS < 0.03
