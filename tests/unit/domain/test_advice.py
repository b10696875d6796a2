"""Advice is given where what is measured contradicts what is set, and nowhere else."""

from dataclasses import replace
from typing import Any

import pytest

from jobs.domain.advice import Observed, QueueLoad, advice
from jobs.domain.capacity import Inputs, plan

SITE = Inputs(
    cores=4, memory_bytes=16 * 2**30, slot_bytes=100 * 2**20, arrival_per_second=50,
    mean_run_seconds=0.1,
)  # fmt: skip
CALM = QueueLoad("low", ready=10, oldest_seconds=1, capacity=3000)


def told(site: Inputs = SITE, slots: int = 8, queue: QueueLoad = CALM) -> list[str]:
    return advice(site, plan(site), Observed(slots=slots, slots_here=slots, queues=(queue,)))


def test_a_site_that_is_well_gets_none() -> None:
    assert told() == []
    assert told(queue=replace(CALM, capacity=0, ready=10**6)) == []


def test_a_new_site_gets_none() -> None:
    assert told(replace(SITE, arrival_per_second=0, mean_run_seconds=0)) == []
    assert told(slots=0) == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"slots": 6},  # 5 of 6 are busy
            ["High load: 5 of 6 slots", "more than 80%", "JOBSITE_WORKERS=7",
             "larger queue (JOBSITE_QUEUE_SIZE=4200)", "watch the memory"],
        ),
        ({"slots": 140}, ["Memory: 140 slots need 13.8 GiB", "80% of the 16.0 GiB"]),
        (
            {"queue": replace(CALM, ready=3001)},
            ["Queue low has 3001 ready jobs", "capacity of 3000", "larger queue"],
        ),
        (
            {"queue": replace(CALM, oldest_seconds=90)},
            ["Latency: the oldest job of queue low has waited for 90 s, longer than 60 s",
             "more workers", "smaller queue"],
        ),
        (
            {"queue": replace(CALM, capacity=100_000)},
            ["Latency: a full queue of 100000 jobs takes 1250 s", "JOBSITE_QUEUE_SIZE=4200",
             "more workers"],
        ),
    ],
    ids=["busy", "memory", "refusing", "waiting", "too long a queue"],
)  # fmt: skip
def test_each_contradiction_has_its_line(given: dict[str, Any], words: list[str]) -> None:
    (line,) = told(**given)
    for word in words:
        assert word in line


def test_a_paused_queue_may_wait() -> None:
    assert told(queue=replace(CALM, oldest_seconds=9000, is_paused=True)) == []
