"""The work that every peer does, and its figures."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.figures import Figures, spread
from benchmarks.peers import record
from benchmarks.peers.catalogue import Peer
from benchmarks.peers.installing import NotMeasured
from benchmarks.peers.processes import Processes, Submitter, last_words

_WARM_UP = 400
_IDLE, _IDLE_PER_SECOND = 100, 20
_STALLED_SECONDS = 30
_FEWEST, _LONGEST_SECONDS = 200, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much of it.

    Attributes:
        count: jobs that are drained, half of them submitted in bulk where that can be; a library
            that is slow gets as many as it drains in half a minute.
        per_second: the pace of the load, the same for all.
        seconds: how long the load lasts.
        burst_per_second: the pace of the bursts, the same for all.
        burst_seconds: how long they last.
    """

    count: int = 20_000
    per_second: float = 300
    seconds: float = 10
    burst_per_second: float = 5000
    burst_seconds: float = 4


def measure(peer: Peer, variant: str, amount: Amount, processes: Processes, file: Path) -> Figures:
    """Warm the peer up, have it work, and see that every job ran.

    Raises:
        NotMeasured: it failed, or came to a halt with jobs left.
    """
    commands = tuple(peer.workers[variant])
    with processes.submitter() as submitter:
        told, _ = submitter.order("prepare")
        run = _Run(submitter, file, processes.log, bulk=told["bulk"])
        run.fill(min(_WARM_UP, amount.count))
        with processes.workers(commands):
            most = max(_FEWEST, round(run.drain() * _LONGEST_SECONDS))
        submitted = run.fill(min(amount.count, most))
        _analyze(processes.env["PEERS_DATABASE"])
        with processes.workers(commands):
            drained = run.drain()
            idle = run.paced(_IDLE, _IDLE_PER_SECOND)
            loaded = run.paced(round(amount.per_second * amount.seconds), amount.per_second)
            bursts = round(amount.burst_per_second * amount.burst_seconds)
            most = min(most, max(_FEWEST, round(drained * _LONGEST_SECONDS)))
            burst = run.paced(min(bursts, most), amount.burst_per_second, bursts=True)
    return {
        "version": told["version"],
        **submitted,
        "drain_per_second": round(drained),
        "idle_p50_ms": idle["p50_ms"],
        "loaded_p50_ms": loaded["p50_ms"],
        "loaded_p99_ms": loaded["p99_ms"],
        "burst_p50_ms": burst["p50_ms"],
        "burst_p99_ms": burst["p99_ms"],
        "kept": peer.kept,
    }


def _analyze(database_url: str) -> None:
    """Bring the database's statistics up to date, as its own housekeeping would in time."""
    if database_url:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("ANALYZE")


class _Run:
    """Jobs that were submitted, and what the handlers wrote down of them."""

    def __init__(self, submitter: Submitter, file: Path, log: Path, *, bulk: bool) -> None:
        self._submitter = submitter
        self._file = file
        self._log = log
        self._bulk = bulk
        self._expected = 0

    def fill(self, count: int) -> Figures:
        """Submit so many while nobody works; return how many a second each way."""
        self._expect(count)
        many = count // 2 if self._bulk else 0
        _, one_by_one = self._submitter.order("submit", count=count - many)
        told: Figures = {"submit_per_second": round((count - many) / one_by_one)}
        if many:
            _, seconds = self._submitter.order("submit_many", count=many)
            told["submit_many_per_second"] = round(many / seconds)
        return told

    def drain(self) -> float:
        """Wait until all have run; return how many a second, from the first start to the end."""
        ended = self.wait()
        return self._expected / (ended - record.entries(self._file)[0][1])

    def paced(self, count: int, per_second: float, *, bursts: bool = False) -> Figures:
        """Submit at this pace to workers that wait for it; return how long jobs waited."""
        self._expect(count)
        what = "submit_bursts" if bursts else "submit"
        self._submitter.order(what, count=count, per_second=per_second)
        self.wait()
        return spread([began - sent for sent, began in record.entries(self._file)])

    def wait(self) -> float:
        """Wait until every job has run and none is left; return when that was.

        Raises:
            NotMeasured: too many ran, or none does any more.
        """
        seen, at, left = -1, time.monotonic(), 0
        while True:
            ran, now = record.count(self._file), time.monotonic()
            if ran >= self._expected:
                left, _ = self._submitter.order("left")
                if not left:
                    break
            if ran != seen:
                seen, at = ran, now
            elif now - at > _STALLED_SECONDS:
                raise NotMeasured(
                    f"{ran} of {self._expected} jobs ran and {left} are left after "
                    f"{_STALLED_SECONDS} s without one: {last_words(self._log)}"
                )
            time.sleep(0.005)
        ended = time.time()
        if (ran := record.count(self._file)) != self._expected:
            raise NotMeasured(f"{ran} jobs ran, not the {self._expected} that were submitted")
        return ended

    def _expect(self, count: int) -> None:
        os.truncate(self._file, 0)
        self._expected = count
