"""Rings that come close upon each other become one, and none is left out."""

import time
from collections.abc import Collection
from threading import Thread

from jobs.backends.coalescing import INTERVAL_SECONDS, LONGEST_SECONDS, SLOW_SECONDS, Coalescer


class Sent:
    """What was sent, and when."""

    def __init__(self) -> None:
        self.rings: list[tuple[float, str]] = []

    def __call__(self, queues: Collection[str]) -> None:
        self.rings += [(time.monotonic(), queue) for queue in queues]

    def queues(self) -> list[str]:
        return [queue for _, queue in self.rings]


def wait() -> None:
    time.sleep(INTERVAL_SECONDS * 20)


def test_the_first_goes_at_once_and_the_next_ones_together() -> None:
    sent = Sent()
    coalescer = Coalescer(sent)
    coalescer.ring({"normal"})
    assert sent.queues() == ["normal"]
    for _ in range(50):
        coalescer.ring({"normal"})
    wait()
    # Two, unless this process was held up in between.
    assert 2 <= len(sent.rings) < 10


def test_each_queue_by_itself() -> None:
    sent = Sent()
    coalescer = Coalescer(sent)
    coalescer.ring({"low", "normal"})
    coalescer.ring({"low", "high"})
    assert sorted(sent.queues()) == ["high", "low", "normal"]
    wait()
    assert sorted(sent.queues()) == ["high", "low", "low", "normal"]


def test_after_a_silence_it_goes_at_once_again() -> None:
    sent = Sent()
    coalescer = Coalescer(sent)
    for count in range(1, 4):
        coalescer.ring({"normal"})
        assert len(sent.rings) == count
        wait()


def test_after_each_ring_one_is_sent() -> None:
    """Whoever hears the last one finds what every one of them was rung for."""
    sent = Sent()
    coalescer = Coalescer(sent)
    rung: list[float] = []

    def submit() -> None:
        for _ in range(300):
            rung.append(time.monotonic())
            coalescer.ring({"normal"})
            time.sleep(0.0003)

    threads = [Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait()
    assert max(at for at, _ in sent.rings) >= max(rung)
    assert len(sent.rings) < len(rung) / 3


def test_while_they_go_on_and_on_fewer_are_sent() -> None:
    sent = Sent()
    coalescer = Coalescer(sent)
    ends = time.monotonic() + 0.6
    while time.monotonic() < ends:
        coalescer.ring({"normal"})
        time.sleep(0.0005)
    assert 5 < len(sent.rings) <= 0.6 / LONGEST_SECONDS + 5
    wait()
    count = len(sent.rings)
    coalescer.ring({"normal"})
    assert len(sent.rings) == count + 1


def test_at_a_moderate_pace_none_waits_for_long() -> None:
    sent = Sent()
    coalescer = Coalescer(sent)
    for _ in range(150):
        coalescer.ring({"normal"})
        time.sleep(INTERVAL_SECONDS * 0.8)
    assert len(sent.rings) > 150 / 3


def test_what_is_held_back_can_be_sent_at_once() -> None:
    sent = Sent()
    coalescer = Coalescer(sent)
    coalescer.ring({"normal"})
    coalescer.ring({"normal"})
    coalescer.flush()
    assert sent.queues() == ["normal", "normal"]
    wait()
    assert len(sent.rings) == 2


def test_nobody_waits_for_a_broker_that_is_slow() -> None:
    sent = Sent()

    def slowly(queues: Collection[str]) -> None:
        time.sleep(SLOW_SECONDS * 2)
        sent(queues)

    coalescer = Coalescer(slowly)
    coalescer.ring({"normal"})  # finds out
    for number in range(10):
        began = time.monotonic()
        coalescer.ring({f"queue{number}"})
        assert time.monotonic() - began < SLOW_SECONDS
    ends = time.monotonic() + 5
    while len(set(sent.queues())) < 11 and time.monotonic() < ends:
        time.sleep(0.01)
    assert set(sent.queues()) == {"normal", *(f"queue{number}" for number in range(10))}
