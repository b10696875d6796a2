"""The ledger: every accepted job is accounted for, and what nobody will take is named."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest

from jobs.backends.memory import drain
from jobs.models import Job, Removal, Worker
from jobs.public import cancel, pause_queue, purge, submit
from jobs.selectors.ledger import Misplaced, ledger, lost
from jobs.services.retention import discard
from jobs.services.taking import Taker, take

pytestmark = pytest.mark.usefixtures("memory")
HOUR = timedelta(hours=1)


def long_ago() -> datetime:
    return datetime.now(UTC) - HOUR


def only_misplaced() -> Misplaced:
    (found,) = ledger().misplaced
    return found


def worker(*, queues: list[str], expires_at: datetime, stopped_at: datetime | None = None) -> UUID:
    then = long_ago()
    row = Worker.objects.create(
        name="celery@here", host="here", pid=7, version="5", queues=queues, started_at=then,
        seen_at=then, expires_at=expires_at, stopped_at=stopped_at,
    )  # fmt: skip
    return UUID(str(row.pk))


def taken_by(worker_id: UUID, since: datetime) -> UUID:
    job_id = submit("sample.echo").job_id
    assert take(Taker(worker_id, 7), ["normal"], now=since)
    return job_id


def test_every_state_is_counted_once() -> None:
    for _ in range(2):
        submit("sample.echo")
    drain()
    submit("sample.trouble", {"kind": "permanent"})
    submit("sample.trouble", {"kind": "error"})
    drain()
    submit("sample.echo", delay=HOUR)
    cancel(submit("sample.echo").job_id)
    submit("sample.echo")
    drawn = ledger()
    assert drawn.final == {"cancelled": 1, "completed": 2, "failed": 1}
    live = {"scheduled": 1, "queued": 1, "retrying": 1}
    assert {state: count for state, count in drawn.live.items() if count} == live
    assert (drawn.accepted, drawn.removed, drawn.lost, drawn.misplaced) == (7, {}, 0, ())


class TestMisplaced:
    @pytest.mark.parametrize("stopped", [False, True])
    def test_a_run_of_a_worker_that_is_gone(self, stopped: bool) -> None:
        gone = worker(
            queues=["normal"], expires_at=long_ago(), stopped_at=long_ago() if stopped else None
        )
        job_id = taken_by(gone, long_ago())
        found = only_misplaced()
        assert (found.count, found.job_ids) == (1, (str(job_id),))
        assert found.why == "run on a worker that is gone"
        assert "start a beat or a worker" in found.remedy

    def test_a_run_of_a_worker_that_nobody_knows(self) -> None:
        job_id = taken_by(uuid4(), long_ago())
        assert only_misplaced().job_ids == (str(job_id),)

    def test_a_long_run_of_a_worker_that_lives_is_in_its_place(self) -> None:
        taken_by(worker(queues=["normal"], expires_at=datetime.now(UTC) + HOUR), long_ago())
        assert ledger().misplaced == ()

    def test_the_reaper_gets_the_time_that_it_needs(self) -> None:
        just_now = datetime.now(UTC) - timedelta(seconds=40)  # a lease is 30
        taken_by(worker(queues=["normal"], expires_at=just_now), just_now)
        assert ledger().misplaced == ()
        assert lost(now=datetime.now(UTC) + timedelta(seconds=60)) == 1

    @pytest.mark.parametrize("state", ["scheduled", "retrying"])
    def test_what_was_due_long_ago(self, state: str) -> None:
        job_id = submit("sample.echo", delay=HOUR).job_id
        assert lost() == 0
        Job.objects.filter(pk=job_id).update(state=state, run_at=long_ago())
        assert (only_misplaced().why, only_misplaced().count) == ("were due long ago", 1)

    def test_what_should_have_expired(self) -> None:
        job_id = submit("sample.echo", expires_in=HOUR).job_id
        assert lost() == 0
        Job.objects.filter(pk=job_id).update(expires_at=long_ago())
        assert (only_misplaced().why, only_misplaced().count) == ("should have expired", 1)

    def test_what_has_run_once_need_not_expire(self) -> None:
        job_id = submit("sample.echo", expires_in=HOUR).job_id
        Job.objects.filter(pk=job_id).update(expires_at=long_ago(), run=1)
        assert lost() == 0

    def test_what_waits_in_a_queue_that_nobody_has(self) -> None:
        job_id = submit("sample.echo").job_id
        Job.objects.filter(pk=job_id).update(queue="gone.normal")
        found = only_misplaced()
        assert found.why.startswith("wait in a queue that no job type declares")
        assert "-Q" in found.remedy
        # A worker that listens to it takes it.
        worker(queues=["gone.normal"], expires_at=datetime.now(UTC) + HOUR)
        assert lost() == 0

    def test_the_first_five_are_named_and_all_are_counted(self) -> None:
        ids = [submit("sample.echo", delay=HOUR).job_id for _ in range(7)]
        Job.objects.update(run_at=long_ago())
        stray = submit("sample.echo").job_id
        Job.objects.filter(pk=stray).update(queue="gone.normal")
        drawn = ledger()
        assert [each.count for each in drawn.misplaced] == [7, 1]
        assert drawn.misplaced[0].job_ids == tuple(map(str, ids[:5]))
        assert drawn.lost == lost() == 8
        assert drawn.as_json()["lost"] == 8


class TestNotes:
    def test_a_queue_is_paused_that_jobs_wait_in(self) -> None:
        pause_queue("all", actor="ada")
        submit("sample.echo", priority="low")
        worker(queues=["low", "normal"], expires_at=datetime.now(UTC) + HOUR)
        drawn = ledger()
        assert (drawn.notes, drawn.lost) == (("queue low is paused",), 0)

    def test_nobody_listens_to_a_queue_that_jobs_wait_in(self) -> None:
        submit("sample.echo")
        worker(queues=["low"], expires_at=datetime.now(UTC) + HOUR)
        worker(queues=["normal"], expires_at=long_ago())
        drawn = ledger()
        assert drawn.notes == ("no worker that is alive listens to queue normal",)
        assert drawn.lost == 0


class TestRemoved:
    """Whoever removes jobs, the account stays the same."""

    def failed(self, count: int) -> None:
        for _ in range(count):
            submit("sample.trouble", {"kind": "permanent"})
        drain()

    def test_by_the_clean_up(self) -> None:
        self.failed(3)
        submit("sample.echo")
        drain()
        Job.objects.update(finished_at=datetime.now(UTC) - timedelta(days=400))
        submit("sample.echo")
        purge(batch_size=2)
        drawn = ledger()
        assert drawn.removed == {"completed": 1, "failed": 3}
        assert sum(drawn.final.values()) == 0
        assert drawn.accepted == 5

    def test_a_dry_run_removes_nothing(self) -> None:
        self.failed(1)
        Job.objects.update(finished_at=datetime.now(UTC) - timedelta(days=400))
        purge(dry_run=True)
        assert (ledger().accepted, ledger().removed) == (1, {})

    def test_by_discarding(self) -> None:
        self.failed(2)
        submit("sample.echo")
        assert discard(Job.objects.all(), actor="ada") == 2
        assert (ledger().accepted, ledger().removed) == (3, {"failed": 2})

    def test_by_deleting_in_the_admin(self) -> None:
        self.failed(2)
        cancel(submit("sample.echo").job_id)
        submit("sample.echo")
        request = HttpRequest()
        request.user = User(username="ada")
        page: Any = admin.site.get_model_admin(Job)
        page.delete_queryset(request, Job.objects.all())
        drawn = ledger()
        assert (drawn.accepted, drawn.removed) == (4, {"cancelled": 1, "failed": 2})
        assert drawn.live["queued"] == 1

    def test_a_day_and_a_state_have_one_row(self) -> None:
        for _ in range(3):
            self.failed(2)
            discard(Job.objects.all(), actor="ada")
        assert list(Removal.objects.values_list("state", "count")) == [("failed", 6)]
