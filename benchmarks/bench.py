"""One run of the benchmark: its processes, its table, and what the rows share."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from uuid import UUID

import psutil
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.db.models import Max, Min
from django.test import Client
from django.utils import timezone

from benchmarks import plain, surroundings
from benchmarks.figures import Figures, spread
from benchmarks.peers import record
from jobs.models import Job, Worker
from jobs.public import NewJob, submit, submit_many
from jobsite.env import BASE_DIR
from jobsite.supervision.site import free_port

_READY_SECONDS = 60.0


class Bench:
    """The site under measurement.

    Attributes:
        scale: 1 for the sizes that the rows name; less for a quick look.
        slots: processes of a worker.
    """

    def __init__(self, *, scale: float, slots: int, tell: Callable[[str], None]) -> None:
        self.scale = scale
        self.slots = slots
        self.tell = tell
        self._record = surroundings.folder() / "record"
        broker = str(settings.CELERY_BROKER_URL)
        os.environ["BENCH_BROKER"] = broker
        os.environ["PEERS_RECORD"] = str(self._record)
        plain.app.conf.update(broker_url=broker)

    def scaled(self, count: int, *, at_least: int = 1) -> int:
        """Return a size that a row names, scaled."""
        return max(at_least, round(count * self.scale))

    def empty(self) -> None:
        """Remove every job, and what statistics remember of them."""
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("TRUNCATE jobs_job CASCADE")
            else:
                cursor.execute("DELETE FROM jobs_job")
        self.analyze()

    @staticmethod
    def analyze() -> None:
        """Bring the database's statistics up to date, as its own housekeeping would in time."""
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE jobs_job" if connection.vendor == "postgresql" else "ANALYZE")

    @contextmanager
    def process(self, name: str, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run one of the site's processes; what it says goes into the run's folder."""
        with (surroundings.folder() / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, *command], cwd=BASE_DIR, stdout=log, stderr=log
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @contextmanager
    def worker(self, *extra: str, name: str = "bench") -> Iterator[subprocess.Popen[bytes]]:
        """Run a worker, ready; extra options are Celery's own."""
        celery = ("-m", "celery", "-A", "jobsite", "--quiet", "worker", "--loglevel", "WARNING")
        options = ("--concurrency", str(self.slots), "-n", f"{name}@%h", *extra)
        with self.process(name, *celery, *options) as process:
            self.wait(lambda: Worker.objects.filter(pid=process.pid).exists(), _READY_SECONDS)
            yield process

    @contextmanager
    def beat(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run a beat."""
        celery = ("-m", "celery", "-A", "jobsite", "--quiet", "beat", "--loglevel", "WARNING")
        with self.process("beat", *celery) as process:
            yield process

    @contextmanager
    def web(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run the site's web, of one worker, on a free port."""
        options = ("--bind", f"127.0.0.1:{free_port()}", "--workers", "1")
        with self.process("web", "-m", "gunicorn", "jobsite.wsgi", *options) as process:
            yield process

    @staticmethod
    def logged_in() -> Client:
        """Return a client who may see every page of the admin."""
        client = Client(SERVER_NAME="localhost")
        user, _ = get_user_model().objects.get_or_create(
            username="bench", is_staff=True, is_superuser=True
        )
        client.force_login(user)
        return client

    @staticmethod
    def wait(done: Callable[[], bool], seconds: float, *, pause: float = 0.1) -> None:
        """Wait until it is so.

        Raises:
            TimeoutError: it took longer.
        """
        ends = time.monotonic() + seconds
        while not done():
            if time.monotonic() > ends:
                raise TimeoutError(f"the benchmark waited for {seconds:g} s in vain")
            time.sleep(pause)

    def wait_until_drained(self, seconds: float = 900) -> None:
        """Wait until no job is ready or running."""
        # One state at a time, by the index that each has: it is asked again and again.
        live = [Job.objects.filter(state=state) for state in ("queued", "running")]
        self.wait(lambda: not any(jobs.exists() for jobs in live), seconds, pause=0.2)

    def fill(self, count: int) -> float:
        """Submit so many jobs that do nothing; return how many a second."""
        began = time.perf_counter()
        result = submit_many(NewJob("bench.noop", {"n": number}) for number in range(count))
        took = time.perf_counter() - began
        if result.errors or len(result.submissions) != count:
            raise RuntimeError(f"of {count} jobs {len(result.errors)} were refused")
        return count / took

    def drain(self, count: int, *options: str) -> tuple[float, float]:
        """Submit so many and have a worker run them; return the pace of both, a second."""
        before = timezone.now()
        submitted = self.fill(count)
        self.analyze()
        with self.worker(*options):
            self.wait_until_drained()
        done = Job.objects.filter(state="completed", started_at__gte=before)
        told = done.aggregate(first=Min("started_at"), last=Max("finished_at"))
        return submitted, count / (told["last"] - told["first"]).total_seconds()

    def idle_starts(self, count: int) -> list[float]:
        """Submit one job at a time to an idle worker; return after how many seconds each ran.

        By the clock of its handler, as plain Celery is measured: the take is in it.
        """
        self._record.write_bytes(b"")
        with self.worker():
            self.warm_up()
            for _ in range(count):
                submit("bench.record", {"sent": time.time()})
                time.sleep(0.02)
            self.wait_until_drained()
        return [began - sent for sent, began in record.entries(self._record)]

    def warm_up(self) -> None:
        """Have every process of the worker run jobs: its start is not what is measured."""
        for _ in range(3):
            self.fill(100 * self.slots)
            self.wait_until_drained()
        time.sleep(1)

    @staticmethod
    def waits(ids: Sequence[UUID]) -> list[float]:
        """Return how many seconds each of the jobs waited, from its submission to its start."""
        found: list[float] = []
        for begin in range(0, len(ids), 500):
            times = Job.objects.filter(pk__in=ids[begin : begin + 500])
            found += [
                (started - created).total_seconds()
                for created, started in times.values_list("created_at", "started_at")
                if started is not None
            ]
        return found

    @cached_property
    def celery(self) -> Figures:
        """Plain Celery in this run: its drain a second, and how long a task waits when idle."""
        self.tell("plain Celery beside it")
        stamps = surroundings.folder() / "stamps"
        with self._plain_drain() as pace:
            for _ in range(self.scaled(500, at_least=50)):
                plain.stamp.delay(time.time(), str(stamps))
                time.sleep(0.02)
            time.sleep(0.5)
        lags = [float(line) for line in stamps.read_text().splitlines()]
        return {"per_second": round(pace), **spread(lags)}

    def celery_drain(self, *options: str) -> float:
        """Return how many tasks a second plain Celery drains, its worker run with these options."""
        with self._plain_drain(*options) as pace:
            return pace

    @contextmanager
    def _plain_drain(self, *options: str) -> Iterator[float]:
        """Drain plain Celery's queue; inside, its worker waits for more. Yield the pace."""
        count = self.scaled(20_000, at_least=500)
        celery = ("-m", "celery", "-A", "benchmarks.plain", "--quiet", "worker", *options)
        given = ("--concurrency", str(self.slots), "--loglevel", "WARNING", "-n", "plain@%h")
        with plain.app.connection_for_write() as broker:
            channel = broker.default_channel
            for number in range(count):
                plain.noop.delay(number)
            with self.process("plain", *celery, *given):
                self.wait(lambda: _waiting(channel) < count, _READY_SECONDS, pause=0.01)
                began, left = time.perf_counter(), _waiting(channel)
                self.wait(lambda: not _waiting(channel), 600, pause=0.02)
                yield left / (time.perf_counter() - began)

    @staticmethod
    def family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
        """Return a process and its children."""
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]


def _waiting(channel: Any) -> int:
    """Return how many messages wait for plain Celery."""
    return int(channel._size(plain.QUEUE))  # kombu's own, of Redis


def prepare() -> None:
    """Make the tables of the scratch database."""
    call_command("migrate", verbosity=0)
