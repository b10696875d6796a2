"""What the nemesis is made of: jobs of every kind, processes that are restarted, faults at random.

`make nemesis SECONDS=600` runs it; `test_nemesis.py` draws up the account at its end.
"""

import heapq
import itertools
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import kombu.exceptions
import redis
from celery import current_app
from django.db import connection, transaction

from jobs.domain.states import FINAL
from jobs.models import Job
from jobs.public import InvalidTransition, cancel, pause_queue, resume_queue, retry, submit
from jobs.selectors.outages import OUTAGES
from tests.drills.drill import LEASE_SECONDS
from tests.stack import LIVE, Process, Stack, eventually
from tests.stack.run import celery

QUEUES = ("critical", "high", "normal", "low")
#: Live jobs that the submitter keeps there.
BACKLOG = 400
#: Of one transaction.
BATCH = 20
#: So many a second at most, so that the faults meet workers that are idle, too.
JOBS_PER_SECOND = 60
STATES_OF_KIND: dict[str, set[tuple[str, str]]] = {
    "permanent": {("failed", "permanent_error")},
    "exhausted": {("failed", "retries_exhausted")},
    "overtime": {("failed", "timeout")},
    "gives up": {("cancelled", "")},
    "expiring": {("completed", ""), ("failed", "expired")},
}
BROKER_OUTAGES = (kombu.exceptions.KombuError, redis.RedisError, OSError)
COMPLETED = {("completed", "")}


@dataclass(frozen=True)
class Kind:
    """One kind of job: how many of a thousand it is, and what is submitted."""

    name: str
    share: int
    job_type: str = "sample.silent"
    params: dict[str, Any] = field(default_factory=lambda: {"seconds": 0})
    options: dict[str, Any] = field(default_factory=dict)


def _trouble(kind: str, times: int = 0) -> dict[str, Any]:
    return {"kind": kind, **({"fail_times": times} if times else {})}


#: A death spends an attempt, and nobody knows how many the nemesis will cause.
_MANY = {"max_attempts": 1000}
KINDS = (
    Kind("quick", 800),
    Kind("sleeps", 25, params={"seconds": 0.5}),
    Kind("outlasts a lease", 4, params={"seconds": LEASE_SECONDS + 1}),
    Kind("delayed", 40, options={"delay": timedelta(seconds=3)}),
    Kind("keyed", 40),
    Kind("permanent", 20, "sample.trouble", _trouble("permanent")),
    Kind("exhausted", 15, "sample.trouble", _trouble("error"), {"max_attempts": 2}),
    Kind("recovers", 15, "sample.trouble", _trouble("error", 2), _MANY),
    Kind("retries", 10, "sample.trouble", _trouble("retry", 1), _MANY),
    Kind("snoozes", 10, "sample.trouble", _trouble("snooze", 2), _MANY),
    Kind("kills its process", 2, "sample.trouble", _trouble("crash", 1), _MANY),
    Kind("gives up", 7, "sample.trouble", _trouble("cancel")),
    Kind("overtime", 2, "sample.sleepy"),
    Kind("expiring", 10, options={"expires_in": timedelta(seconds=4)}),
)


def say(text: str, began: float) -> None:
    """Tell what happens, with the seconds since the begin."""
    sys.stdout.write(f"{time.monotonic() - began:7.1f} s  {text}\n")
    sys.stdout.flush()


class Submitter(threading.Thread):
    """Keeps a backlog of jobs, and the only count of what was accepted that is not the table's."""

    def __init__(self, seed: int, folder: Path) -> None:
        super().__init__(name="submitter", daemon=True)
        self._random = random.Random(f"{seed} jobs")
        self._folder = folder
        self._ends = threading.Event()
        self._number = itertools.count()
        #: Every job that was accepted, with its kind.
        self.accepted: dict[UUID, str] = {}
        self.interrupted = 0
        self.broken: list[str] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        """Submit until it is told to end."""
        try:
            while not self._ends.wait(BATCH / JOBS_PER_SECOND):
                self._top_up()
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self.error = error
        finally:
            connection.close()

    def end(self) -> None:
        """Have it end, and raise what it met."""
        self._ends.set()
        self.join(60)
        assert not self.is_alive(), "the submitter hangs"
        if self.error is not None:
            raise self.error

    def _top_up(self) -> None:
        try:
            if Job.objects.exclude(state__in=FINAL).count() >= BACKLOG:
                return
        except OUTAGES:
            connection.close()
            return
        made: dict[UUID, str] = {}
        try:
            with transaction.atomic():
                for _ in range(BATCH):
                    self._submit(made)
        except OUTAGES:
            # Whoever loses the connection while committing does not know: the table does.
            self.interrupted += 1
            self._settle(made)
        else:
            self.accepted.update(made)

    def _settle(self, made: dict[UUID, str]) -> None:
        while True:
            connection.close()
            try:
                there = Job.objects.filter(pk__in=made).count()
            except OUTAGES:
                time.sleep(0.2)
                continue
            if there not in (0, len(made)):
                self.broken.append(f"of a transaction of {len(made)} jobs {there} are there")
            if there:
                self.accepted.update(made)
            return

    def _submit(self, made: dict[UUID, str]) -> None:
        kind = self._random.choices(KINDS, [each.share for each in KINDS])[0]
        number = next(self._number)
        params = {"path": os.devnull, **kind.params}
        if "fail_times" in kind.params:
            params["path"] = str(self._folder / f"{number}")
        elif kind.job_type == "sample.trouble":
            params["path"] = ""
        options = {**kind.options, "priority": self._random.choices(QUEUES, [1, 2, 5, 2])[0]}
        if kind.name == "keyed":
            options["idempotency_key"] = f"nemesis-{number}"
        job_id = submit(kind.job_type, params, **options).job_id
        made[job_id] = kind.name
        if kind.name == "keyed":
            again = submit(kind.job_type, params, **options)
            if not again.duplicate or again.job_id != job_id:
                self.broken.append(f"the key of {job_id} made {again.job_id}")


class Post:
    """A place at which a process is kept running, as a supervisor does."""

    def __init__(self, name: str, start: Callable[[], Process]) -> None:
        self.name = name
        self._start = start
        self.process = start()
        #: What is being done to it; it is left alone meanwhile.
        self.trouble = ""
        self.starts = 1

    @property
    def is_up(self) -> bool:
        return self.process.returncode is None

    def keep(self) -> None:
        """Start it anew if it has ended."""
        if not self.is_up:
            self.process.kill()  # and what it may have left of its children
            self.process = self._start()
            self.trouble = ""
            self.starts += 1


class Nemesis:
    """Faults at random on a stack of its own, for as long as asked."""

    def __init__(self, stack: Stack, submitter: Submitter, seed: int) -> None:
        self._stack = stack
        self._submitter = submitter
        #: When which fault comes; and what it is done to, which also depends on what there is.
        self._plan = random.Random(f"{seed} plan")
        self._random = random.Random(f"{seed} faults")
        self._endings: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._broker_is_frozen = threading.Event()
        self._timers: list[threading.Timer] = []
        self._paused: set[str] = set()
        self.began = time.monotonic()
        self.faults: Counter[str] = Counter()
        #: Jobs that were, or may have been, cancelled by hand.
        self.cancelled: set[UUID] = set()
        env = {
            "JOBSITE_LEASE_SECONDS": str(LEASE_SECONDS),
            "WORKER_SHUTDOWN_SECONDS": "3",
            # How often a job dies is up to the nemesis, and no fault of the job's.
            "JOBSITE_MAX_LOSSES": "100",
        }
        workers = (("2", "100"), ("2", "10"), ("1", "1"))
        self.workers = [
            Post(
                f"worker {number}",
                partial(
                    stack.process,
                    celery("worker", "--concurrency", slots, "-n", f"nemesis{number}@%h"),
                    name=f"nemesis-worker{number}",
                    env={**env, "JOBSITE_BATCH_SIZE": batch},
                ),
            )
            for number, (slots, batch) in enumerate(workers)
        ]
        self.beats = [
            Post(
                f"beat {number}",
                partial(
                    stack.process,
                    celery("beat", "-s", os.devnull),
                    name=f"nemesis-beat{number}",
                    env=env,
                ),
            )
            for number in range(2)
        ]
        self._kinds: list[tuple[int, Callable[[], str | None]]] = [
            (4, self._kill_worker),
            (6, self._kill_child),
            (4, self._stop_worker_past_its_lease),
            (3, self._roll_a_worker),
            (2, self._kill_beat),
            (3, self._wipe_broker),
            (2, self._restart_broker),
            (2, self._freeze_broker),
            (2 if stack.cluster else 0, self._restart_database),
            (4, self._repeat_messages),
            (3, self._pause_queue),
            (5, self._cancel_some),
            (5, self._retry_some),
        ]

    def torment(self, seconds: float) -> None:
        """Cause a fault each 2 to 5 s, until the time is over."""
        self.began = time.monotonic()
        ends = self.began + seconds
        next_fault = self.began + 5
        tick = threading.Event()
        while not tick.wait(0.1) and time.monotonic() < ends:
            assert self._submitter.error is None, self._submitter.error
            self._look_after()
            if time.monotonic() >= next_fault:
                next_fault += self._plan.uniform(2, 5)
                self._cause_one()

    def relent(self) -> None:
        """End every fault, and have everything run."""
        for timer in self._timers:
            timer.join(30)
        while self._endings:
            heapq.heappop(self._endings)[2]()
        self._look_after()
        posts = [*self.workers, *self.beats]
        for post in posts:
            # One that is on its way out is none that will do the work.
            if "restart" in post.trouble:
                post.process.wait(40)
            post.keep()
        eventually(lambda: all(post.is_up for post in posts), 40)
        say("the faults are over", self.began)

    def keep_running(self) -> None:
        """Restart what ended: a worker may find out only now what was done to it."""
        for post in [*self.workers, *self.beats]:
            post.keep()

    def _look_after(self) -> None:
        self.keep_running()
        while self._endings and self._endings[0][0] <= time.monotonic():
            heapq.heappop(self._endings)[2]()

    def _cause_one(self) -> None:
        kinds = [kind for _, kind in self._kinds]
        fault = self._plan.choices(kinds, [share for share, _ in self._kinds])[0]
        name = fault.__name__.strip("_").replace("_", " ")
        try:
            told = fault()
        except (*OUTAGES, *BROKER_OUTAGES) as error:
            connection.close()
            say(f"{name}: another fault is in its way ({type(error).__name__})", self.began)
            return
        if told is not None:
            self.faults[name] += 1
            say(f"{name}: {told}", self.began)

    def _later(self, seconds: float, ending: Callable[[], None]) -> None:
        heapq.heappush(self._endings, (time.monotonic() + seconds, next(self._order), ending))

    def _surely_later(self, seconds: float, ending: Callable[[], None]) -> None:
        """In a thread: this one may wait for a lock that what was stopped holds."""
        timer = threading.Timer(seconds, ending)
        timer.daemon = True
        timer.start()
        self._timers = [each for each in self._timers if each.is_alive()] + [timer]

    def _some_worker(self) -> Post | None:
        free = [post for post in self.workers if post.is_up and not post.trouble]
        return self._random.choice(free) if free else None

    def _kill_worker(self) -> str | None:
        post = self._some_worker()
        if post is None:
            return None
        os.killpg(post.process.pid, signal.SIGKILL)
        return post.name

    def _kill_child(self) -> str | None:
        pids = {post.process.pid: post for post in self.workers if post.is_up and not post.trouble}
        running = Job.objects.filter(state="running", worker__pid__in=pids)
        found = [pid for pid in running.values_list("pid", flat=True) if pid is not None]
        if not found:
            return None
        pid = self._random.choice(sorted(set(found)))
        try:
            if os.getpgid(pid) in pids:
                os.kill(pid, signal.SIGKILL)
                return f"{pid}, of {pids[os.getpgid(pid)].name}"
        except ProcessLookupError:
            pass
        return None

    def _stop_worker_past_its_lease(self) -> str | None:
        post = self._some_worker()
        if post is None:
            return None
        seconds = LEASE_SECONDS + self._random.uniform(1, 5)
        stopped, post.trouble = post.process, "stopped"
        os.killpg(stopped.pid, signal.SIGSTOP)

        def go_on() -> None:
            if stopped.returncode is None:
                os.killpg(stopped.pid, signal.SIGCONT)
            if post.process is stopped:
                post.trouble = ""

        self._surely_later(seconds, go_on)
        return f"{post.name}, for {seconds:.1f} s"

    def _roll_a_worker(self) -> str | None:
        post = self._some_worker()
        if post is None:
            return None
        post.trouble = "restarts"
        post.process.signal(signal.SIGTERM)
        return post.name

    def _kill_beat(self) -> str | None:
        post = self._random.choice(self.beats)
        if not post.is_up:
            return None
        post.process.kill()
        return post.name

    def _wipe_broker(self) -> str | None:
        if self._broker_is_frozen.is_set():
            return None
        self._stack.wipe_broker()
        return "every message is gone"

    def _restart_broker(self) -> str | None:
        if self._broker_is_frozen.is_set():
            return None
        self._stack.stop_broker()
        seconds = self._random.uniform(0.5, 3)
        self._broker_is_frozen.set()

        def go_on() -> None:
            self._stack.start_broker()
            self._broker_is_frozen.clear()

        self._later(seconds, go_on)
        return f"back after {seconds:.1f} s"

    def _freeze_broker(self) -> str | None:
        if self._broker_is_frozen.is_set():
            return None
        seconds = self._random.uniform(2, 6)
        self._broker_is_frozen.set()
        self._stack.signal_broker(signal.SIGSTOP)

        def go_on() -> None:
            self._stack.signal_broker(signal.SIGCONT)
            self._broker_is_frozen.clear()

        self._surely_later(seconds, go_on)
        return f"for {seconds:.1f} s"

    def _restart_database(self) -> str | None:
        cluster = self._stack.cluster
        assert cluster is not None
        cluster.halt()
        connection.close()
        seconds = self._random.uniform(0, 2)
        time.sleep(seconds)
        cluster.run()
        return f"back after {seconds:.1f} s"

    def _repeat_messages(self) -> str | None:
        if self._broker_is_frozen.is_set():
            return None
        rings = [queue for queue in QUEUES for _ in range(15)]
        self._random.shuffle(rings)
        for queue in rings:
            current_app.send_task("jobs.doorbell", queue=queue, retry=False, ignore_result=True)
        return f"{len(rings)} doorbells, shuffled"

    def _pause_queue(self) -> str | None:
        queue = self._random.choice(QUEUES)
        if queue in self._paused:
            return None
        self._paused.add(queue)
        pause_queue(queue, actor="nemesis")
        seconds = self._random.uniform(2, 6)
        self._later(seconds, partial(self._resume, queue))
        return f"{queue}, for {seconds:.1f} s"

    def _resume(self, queue: str) -> None:
        try:
            resume_queue(queue, actor="nemesis")
        except OUTAGES:
            connection.close()
            self._later(1, partial(self._resume, queue))
        else:
            self._paused.discard(queue)

    def _cancel_some(self) -> str | None:
        live = Job.objects.exclude(state__in=FINAL).order_by("-id")
        ids = list(live.values_list("pk", flat=True)[:BACKLOG])
        done = 0
        for job_id in self._random.sample(ids, min(8, len(ids))):
            self.cancelled.add(job_id)
            try:
                cancel(job_id, actor="nemesis")
                done += 1
            except InvalidTransition:
                pass
        return f"{done} jobs"

    def _retry_some(self) -> str | None:
        ended = Job.objects.filter(state__in=["failed", "cancelled"]).order_by("-id")
        ids = list(ended.values_list("pk", flat=True)[:200])
        done = 0
        for job_id in self._random.sample(ids, min(5, len(ids))):
            try:
                retry(job_id, actor="nemesis")
                done += 1
            except InvalidTransition:
                pass
        return f"{done} jobs"


def logs_of(stack: Stack, job_ids: list[str]) -> str:
    """Return what the processes' logs say of these jobs, and who still runs."""
    told = [f"running: {', '.join(each.name for each in LIVE)}"]
    for log in sorted(stack.folder.glob("nemesis-*.log")):
        lines = log.read_text(errors="replace").splitlines()
        told += [f"{log.stem}: {line}" for line in lines if any(each in line for each in job_ids)]
    return "\n".join(told[:400])
