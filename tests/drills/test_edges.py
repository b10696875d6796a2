"""Too much at once: parameters, failures, what never answers."""

import time
from collections import Counter
from datetime import timedelta
from functools import partial

import pytest

from jobs import Backoff
from jobs.models import Attempt, Job
from jobs.public import InvalidParameters, get, submit
from tests.drills.conftest import Start
from tests.drills.drill import Drill
from tests.stack import eventually


@pytest.mark.quick
@pytest.mark.drill_of(15, "ten megabytes of parameters")
def test_parameters_that_are_too_large(drill: Drill) -> None:
    with pytest.raises(InvalidParameters, match="bytes as JSON and 262144 are allowed"):
        submit("sample.echo", {"value": "x" * 10 * 2**20})
    assert not Job.objects.exists()
    drill.enter_occurrences()


@pytest.mark.drill_of(20, "1,000 jobs fail at once")
def test_a_thousand_failures(drill: Drill, start_worker: Start, start_beat: Start) -> None:
    start_beat()
    start_worker("--concurrency", "2")
    spread = Backoff.exponential(timedelta(seconds=45), timedelta(seconds=60), jitter="full")
    failing = drill.submit(
        1000, "sample.trouble", params={"kind": "error"}, backoff=spread, max_attempts=2,
        priority="low",
    )  # fmt: skip
    drill.disturbed()
    waits = []
    while not drill.all_final(failing):
        (urgent,) = drill.submit(params={"seconds": 0}, priority="high")
        eventually(partial(drill.all_final, [urgent]), 20)
        job = get(urgent)
        assert job.started_at is not None
        waits.append((job.started_at - job.created_at).total_seconds())
        time.sleep(0.2)
    retries = Counter(
        int(at.timestamp())
        for at in Attempt.objects.filter(number=1, job_id__in=failing).values_list(
            "retry_at", flat=True
        )
        if at
    )
    assert retries.total() == 1000
    assert max(retries.values()) <= 0.05 * 1000
    assert sorted(waits)[int(len(waits) * 0.95)] < 2
    drill.account(within=100, completed=[each for each in drill.ids if each not in failing])
    assert set(Job.objects.filter(pk__in=failing).values_list("attempt", flat=True)) == {2}
