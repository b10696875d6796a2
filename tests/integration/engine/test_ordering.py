"""The order of taking: strict, by weights, and with ageing."""

from collections import Counter
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.domain.errors import ConfigurationError
from jobs.domain.turns import Turns
from jobs.models import Job
from jobs.public import pause_queue, submit
from jobs.services import ordering
from jobs.services.ordering import take_in_order
from jobs.services.taking import Taker

pytestmark = pytest.mark.usefixtures("memory")
QUEUES = ["critical", "high", "normal", "low"]
ME = Taker(worker_id=uuid4(), pid=1)


@pytest.fixture(autouse=True)
def first_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin as a new process does: turns are remembered from take to take."""
    monkeypatch.setattr(ordering, "_shares", Turns(lambda _length: 0))
    monkeypatch.setattr(ordering, "_takes", count())


def taken(number: int) -> list[str]:
    """Take one by one; return the priorities in the order of taking."""
    return [job.priority_label for _ in range(number) for job in take_in_order(ME, QUEUES)]


def put(**counts: int) -> None:
    for priority, number in counts.items():
        for _ in range(number):
            submit("sample.echo", priority=priority)


def grow_old(priority: str, seconds: float) -> None:
    since = timezone.now() - timedelta(seconds=seconds)
    changed = Job.objects.filter(queue=priority, state="queued").update(run_at=since)
    assert changed


def test_strict_unless_said() -> None:
    put(low=3, critical=3)
    grow_old("low", 1_000_000)
    with CaptureQueriesContext(connection) as captured:
        assert taken(4) == ["critical"] * 3 + ["low"]
    assert len(captured) == 4


def test_weights_share_the_takes(configure: Any) -> None:
    configure(order="weighted")
    put(critical=40, high=40, normal=40, low=40)
    assert Counter(taken(30)) == {"critical": 16, "high": 8, "normal": 4, "low": 2}


def test_a_share_that_nobody_needs_goes_to_the_most_urgent(configure: Any) -> None:
    configure(order="weighted", order_weights={"critical": 1, "high": 1, "normal": 1, "low": 97})
    put(high=5, normal=5)
    assert taken(10) == ["high"] * 5 + ["normal"] * 5


def test_what_has_waited_long_is_served_by_every_other_take(configure: Any) -> None:
    configure(ageing_seconds=60)
    put(critical=20, normal=20, low=4)
    grow_old("low", 61)
    order = taken(8)
    assert order.count("low") == 4
    assert all(
        set(pair) == {"critical", "low"} for pair in zip(order[::2], order[1::2], strict=True)
    )
    # The rest is young: strict again.
    assert set(taken(10)) == {"critical"}


def test_the_longest_waiting_goes_first(configure: Any) -> None:
    configure(ageing_seconds=60)
    put(high=4, normal=4, low=4)
    grow_old("normal", 100)
    grow_old("low", 300)
    assert Counter(taken(8))["low"] == 4


def test_a_paused_queue_does_not_age(configure: Any) -> None:
    configure(ageing_seconds=60)
    put(critical=4, low=4)
    grow_old("low", 100)
    pause_queue("low", actor="test")
    assert taken(4) == ["critical"] * 4


@pytest.mark.parametrize(
    "weights", [{"critical": 1}, {"critical": 0, "high": 1, "normal": 1, "low": 1}]
)
def test_weights_that_cannot_be_used_are_refused(configure: Any, weights: dict[str, int]) -> None:
    configure(order_weights=weights)
    with pytest.raises(ConfigurationError, match=r'JOBS\["ORDER_WEIGHTS"\].*must give each of'):
        submit("sample.echo")
