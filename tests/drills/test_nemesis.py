"""All faults at random for as long as asked, and the account at the end."""

import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Sum

from jobs.domain.states import FINAL
from jobs.models import Job, Schedule
from jobs.selectors.ledger import ledger
from jobs.selectors.outages import OUTAGES
from tests.drills.nemesis import COMPLETED, STATES_OF_KIND, Nemesis, Submitter, logs_of, say
from tests.drills.witness import completions, stop_watching, watch_completions
from tests.stack import Stack, eventually

SECONDS = float(os.environ.get("NEMESIS_SECONDS", "60"))
SEED = int(os.environ.get("NEMESIS_SEED") or random.SystemRandom().randrange(10**9))
#: After the last fault, for what is left to be done.
SETTLE_SECONDS = 120.0


@pytest.fixture
def watched(transactional_db: None) -> Iterator[None]:
    watch_completions()
    yield
    connection.close()
    stop_watching()


@pytest.fixture
def submitter(watched: None, tmp_path: Path) -> Submitter:
    Schedule.objects.all().delete()  # the site's own, whose jobs nobody here would count
    return Submitter(SEED, tmp_path)


@pytest.fixture
def nemesis(stack: Stack, submitter: Submitter) -> Iterator[Nemesis]:
    made = Nemesis(stack, submitter, SEED)
    yield made
    for post in [*made.workers, *made.beats]:
        post.process.kill()


@pytest.mark.nemesis
@pytest.mark.timeout(SECONDS + SETTLE_SECONDS + 180)
def test_nothing_is_lost_whatever_happens(
    stack: Stack, nemesis: Nemesis, submitter: Submitter
) -> None:
    sys.stdout.write(f"\nnemesis for {SECONDS:g} s on {stack.name}, NEMESIS_SEED={SEED}\n")
    submitter.start()
    try:
        nemesis.torment(SECONDS)
    finally:
        submitter.end()
    nemesis.relent()
    over = ended = nemesis.began + SECONDS
    try:
        ended = eventually(lambda: settled(nemesis), SETTLE_SECONDS, what="every job to end")
    finally:
        print_account(stack, nemesis, submitter, ended - over)
    wrong = violations(nemesis, submitter)
    told = "\n".join(wrong[:20])
    named = [line.split()[0] for line in wrong if line[0] != "-"][:5]
    assert not wrong, f"NEMESIS_SEED={SEED}: {len(wrong)}\n{told}\n{logs_of(stack, named)}"
    accepted = str(len(submitter.accepted))
    command = [sys.executable, "manage.py", "jobs", "ledger", "--accepted", accepted]
    account = stack.process(command, name="nemesis-ledger", env={})
    assert account.wait(30) == 0, account.output()


def settled(nemesis: Nemesis) -> float:
    """Return when every job had ended; 0 while some live."""
    nemesis.keep_running()
    try:
        if Job.objects.exclude(state__in=FINAL).exists():
            return 0
        return time.monotonic()
    except OUTAGES:
        connection.close()
        return 0


def violations(nemesis: Nemesis, submitter: Submitter) -> list[str]:
    """Return what is against the promise, each with the job's id first."""
    there = {job.pk: job for job in Job.objects.all().defer("params", "result")}
    wrong = [f"- {each}" for each in submitter.broken]
    wrong += [f"{each} is gone" for each in submitter.accepted if each not in there]
    wrong += [f"{each} was never accepted" for each in there if each not in submitter.accepted]
    wrong += [f"{each} completed {n} times" for each, n in completions().items() if n > 1]
    for job in there.values():
        kind = submitter.accepted.get(job.pk, "")
        allowed = STATES_OF_KIND.get(kind, COMPLETED)
        if job.pk in nemesis.cancelled:
            allowed = allowed | {("cancelled", "")}
        if (job.state, job.failure_reason or "") not in allowed:
            wrong.append(
                f"{job.pk} ({kind}) is {job.state} {job.failure_reason} {job.error[:100]!r}, "
                f"run {job.run}, attempt {job.attempt}"
            )
    account = ledger()
    wrong += [f"{each.job_ids} {each.why}" for each in account.misplaced]
    if account.accepted != len(submitter.accepted):
        wrong.append(
            f"- {len(submitter.accepted)} were accepted, the ledger has {account.accepted}"
        )
    return wrong


def print_account(stack: Stack, nemesis: Nemesis, submitter: Submitter, seconds: float) -> None:
    """Print the table of the end."""
    states = ledger()
    twice = sum(count > 1 for count in completions().values())
    runs = Job.objects.aggregate(Sum("run"))["run__sum"]
    starts = sum(post.starts for post in [*nemesis.workers, *nemesis.beats])
    gone = len(submitter.accepted) - states.accepted
    rows = [
        ("stack", f"{stack.database} and {stack.broker}"),
        ("accepted", len(submitter.accepted)),
        *states.final.items(),
        ("live", sum(states.live.values())),
        ("runs", runs),
        ("lost", gone + sum(states.live.values())),
        ("completed twice", twice),
        ("interrupted submissions", submitter.interrupted),
        ("processes started", starts),
        ("faults", nemesis.faults.total()),
        *((f"  {name}", count) for name, count in sorted(nemesis.faults.items())),
        ("seconds to settle", f"{seconds:.1f}"),
    ]
    say("the account", nemesis.began)
    for name, value in rows:
        sys.stdout.write(f"  {name:<34} {value:>28}\n")
