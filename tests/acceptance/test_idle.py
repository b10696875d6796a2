"""A site that has nothing to do costs next to nothing."""

import time

import psutil
import pytest

from jobs.models import Leadership
from jobs.services.timekeeping import next_due
from tests.stack import Process, eventually

SECONDS = 10
_PER_SECOND = 10


def cpu_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def wakes(pid: int) -> int:
    """Return how often its threads have waited for something."""
    threads = [psutil.Process(thread.id) for thread in psutil.Process(pid).threads()]
    return sum(thread.num_ctx_switches().voluntary for thread in threads)


def cpu_seconds_of_asking() -> float:
    """Ask for what is due as often as an idle timekeeper does; return what that took here."""
    began = time.thread_time()
    for _ in range(SECONDS * _PER_SECOND):
        time.sleep(1 / _PER_SECOND)
        next_due()
    return time.thread_time() - began


@pytest.mark.usefixtures("transactional_db")
def test_the_timekeeper_waits_without_spinning(beat: Process) -> None:
    eventually(lambda: Leadership.objects.filter(holder__contains=f":{beat.pid}:").exists(), 20)
    before, woken = cpu_seconds(beat.pid), wakes(beat.pid)
    # Beside it, since what a process costs that has just slept differs by far from hour to hour:
    # a question takes 0.05 ms in a row and 1.5 ms after a tenth of a second's sleep.
    asking = cpu_seconds_of_asking()
    spent = cpu_seconds(beat.pid) - before
    woken = wakes(beat.pid) - woken
    assert woken / SECONDS < 5 * _PER_SECOND
    # One that spins takes all of a processor: fifty times as much, or more.
    assert spent < 4 * asking
    assert spent / SECONDS < 0.2
