"""What is handed over is sent together, soon, in its order; and no more waits than may."""

import threading
import time
from collections.abc import Sequence

from jobs.services.gathering import Gatherer
from tests.stack import eventually


def test_what_comes_together_is_sent_together_in_its_order() -> None:
    sent: list[list[int]] = []

    def send(items: Sequence[int]) -> float:
        sent.append(list(items))
        return 0

    gatherer = Gatherer("test", send, seconds=0.05, capacity=1000)
    for number in range(500):
        gatherer.add(number)
    eventually(lambda: sum(map(len, sent)) == 500, 5)
    assert [number for batch in sent for number in batch] == list(range(500))
    assert len(sent) < 5


def test_every_threads_are_sent_once() -> None:
    sent: list[int] = []

    def send(items: Sequence[int]) -> float:
        sent.extend(items)
        return 0

    gatherer = Gatherer("test", send, seconds=0.001, capacity=1_000_000)

    def add(first: int) -> None:
        for number in range(first, first + 5000):
            gatherer.add(number)

    threads = [threading.Thread(target=add, args=[place * 5000]) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eventually(lambda: len(sent) == 20_000, 10)
    assert sorted(sent) == list(range(20_000))


def test_while_the_other_side_is_away_no_more_waits_than_may() -> None:
    tried: list[float] = []

    def fail(items: Sequence[int]) -> float:
        tried.append(time.monotonic())
        return 0.3

    gatherer = Gatherer("test", fail, seconds=0.01, capacity=10)
    ends = time.monotonic() + 1
    while time.monotonic() < ends:
        gatherer.add(1)
        time.sleep(0.005)
    assert 2 <= len(tried) <= 5
    gatherer.close()


def test_what_waits_is_sent_at_the_end() -> None:
    sent: list[int] = []

    def send(items: Sequence[int]) -> float:
        sent.extend(items)
        return 0

    gatherer = Gatherer("test", send, seconds=60, capacity=10)
    gatherer.add(1)
    gatherer.close()
    assert sent == [1]
