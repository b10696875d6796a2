"""Queues, the timekeeper's duties and the ledger: `queues`, `pause`, `resume`, `tick`, `ledger`."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from jobs.backends.memory import MemoryBackend, drain
from jobs.domain.registry import registry
from jobs.models import AuditEntry, Job
from jobs.public import create_schedule, get, pause_queue, submit
from jobs.runtime.duties import DUTIES
from jobs.selectors.queues import paused_queues
from jobs.services.doorbell import backend
from jobs.services.retention import discard
from jobs.services.taking import Taker, take
from tests.integration.commands.running import DONE, FAILED, NOT_FOUND, USAGE, Run

HOUR = timedelta(hours=1)


def long_ago() -> datetime:
    return datetime.now(UTC) - HOUR


class TestQueues:
    def test_every_queue_is_a_line_in_the_order_of_taking(self, run: Run) -> None:
        for _ in range(2):
            submit("sample.echo", priority="low")
        submit("sample.echo")
        take(Taker(None, 1), ["normal"])
        ran = run("queues")
        heading, *rows = ran.out.splitlines()
        assert (ran.code, heading.split()) == (DONE, ["queue", "ready", "oldest", "running"])
        assert [row.split()[0] for row in rows] == registry.celery_queues()
        told = {row.split()[0]: row.split() for row in rows}
        assert told["low"][1] == "2"
        assert (told["normal"][1], told["normal"][-1]) == ("0", "1")

    def test_a_paused_one_says_since_when_and_by_whom(self, run: Run) -> None:
        pause_queue("low", actor="ada")
        (line,) = [each for each in run("queues").out.splitlines() if "paused" in each]
        assert line.startswith("low")
        assert "by ada" in line

    def test_as_json(self, run: Run) -> None:
        job_id = submit("sample.echo", priority="low").job_id
        pause_queue("low", actor="ada")
        told = {each["name"]: each for each in run("queues", "--json").json}
        low = told["low"]
        assert (low["ready"], low["running"], low["paused_by"]) == (1, 0, "ada")
        assert datetime.fromisoformat(low["oldest"]) == get(job_id).run_at
        assert datetime.fromisoformat(low["paused_at"]).tzinfo is not None
        assert (told["high"]["oldest"], told["high"]["paused_at"]) == (None, None)

    def test_one_that_nothing_declares_is_there_while_jobs_wait_in_it(self, run: Run) -> None:
        job_id = submit("sample.echo").job_id
        Job.objects.filter(pk=job_id).update(queue="gone.normal")
        assert run("queues").out.splitlines()[-1].split()[:2] == ["gone.normal", "1"]


class TestPausing:
    def test_pause_and_resume(self, run: Run) -> None:
        ran = run("pause", "low", "normal")
        assert (ran.code, ran.out) == (DONE, "paused: low, normal\n")
        assert paused_queues() == {"low", "normal"}
        waiting = submit("sample.echo").job_id
        assert drain() == 0
        ran = run("resume", "normal")
        assert (ran.code, ran.out) == (DONE, "resumed: normal\n")
        assert drain() == 1
        assert get(waiting).state == "completed"
        assert paused_queues() == {"low"}

    def test_again_changes_nothing(self, run: Run) -> None:
        run("pause", "low")
        ran = run("pause", "low")
        assert (ran.code, ran.out) == (DONE, "paused: none, they were paused already\n")
        ran = run("resume", "high")
        assert (ran.code, ran.out) == (DONE, "resumed: none, they were resumed already\n")

    def test_a_types_own_and_all(self, run: Run) -> None:
        own = [f"sample.{priority}" for priority in ("critical", "high", "low", "normal")]
        assert run("pause", "sample", "--json").json == {"paused": own}
        assert run("resume", "all", "--json").json == {"resumed": own}

    def test_who_did_it_is_recorded(self, run: Run) -> None:
        run("pause", "low")
        entry = AuditEntry.objects.get(target_type="queue")
        assert (entry.action, entry.target_id) == ("queue.pause", "low")
        assert entry.actor

    @pytest.mark.parametrize("verb", ["pause", "resume"])
    def test_an_unknown_queue(self, run: Run, verb: str) -> None:
        ran = run(verb, "nromal")
        assert (ran.code, ran.out) == (NOT_FOUND, "")
        assert "there is no queue 'nromal'; there are: critical, " in ran.error

    def test_with_an_unknown_one_none_is_paused(self, run: Run) -> None:
        assert run("pause", "low", "nromal").code == NOT_FOUND
        assert paused_queues() == set()
        assert not AuditEntry.objects.filter(target_type="queue").exists()

    @pytest.mark.parametrize("verb", ["pause", "resume"])
    def test_no_queue(self, run: Run, verb: str) -> None:
        assert run(verb).code == USAGE


class TestTick:
    def due(self) -> UUID:
        job_id = submit("sample.echo", delay=HOUR).job_id
        Job.objects.filter(pk=job_id).update(run_at=long_ago())
        return job_id

    def test_due(self, run: Run) -> None:
        job_id = self.due()
        ran = run("tick", "due")
        assert (ran.code, ran.out.splitlines()[1].split()) == (DONE, ["due", "1"])
        assert get(job_id).state == "queued"
        assert run("tick", "due", "--json").json == {"due": 0}

    def test_schedules(self, run: Run) -> None:
        schedule = create_schedule("nightly", "sample.echo", cron="@daily")
        type(schedule).objects.exclude(pk=schedule.pk).delete()
        type(schedule).objects.update(next_run_at=long_ago())
        assert run("tick", "schedules", "--json").json == {"schedules": 1}
        assert Job.objects.get().schedule == schedule

    def test_rings(self, run: Run) -> None:
        job_id = submit("sample.echo", priority="low").job_id
        Job.objects.filter(pk=job_id).update(run_at=long_ago())
        memory = backend()
        assert isinstance(memory, MemoryBackend)
        memory.rung.clear()
        assert run("tick", "rings", "--json").json == {"rings": 1}
        assert memory.rung == {"low"}

    def test_expiry(self, run: Run) -> None:
        job_id = submit("sample.echo", expires_in=HOUR).job_id
        Job.objects.filter(pk=job_id).update(expires_at=long_ago())
        assert run("tick", "expiry", "--json").json == {"expiry": 1}
        assert get(job_id).failure_reason == "expired"

    def test_reaper(self, run: Run) -> None:
        job_id = submit("sample.echo").job_id
        take(Taker(uuid4(), 1), ["normal"], now=long_ago())
        assert run("tick", "reaper", "--json").json == {"reaper": 1}
        assert get(job_id).state == "retrying"

    def test_all(self, run: Run) -> None:
        self.due()
        ran = run("tick", "all")
        rows = dict(line.split() for line in ran.out.splitlines()[1:])
        assert list(rows) == list(DUTIES)
        assert rows["due"] == "1"
        assert set(run("tick", "all", "--json").json) == set(DUTIES)

    def test_an_unknown_duty(self, run: Run) -> None:
        ran = run("tick", "everything")
        assert (ran.code, ran.out) == (USAGE, "")
        assert "reaper" in ran.error


class TestLedger:
    def test_everything_is_in_its_place(self, run: Run, dead: str) -> None:
        for _ in range(2):
            submit("sample.echo")
        discard(Job.objects.all(), actor="ada")
        ran = run("ledger", "--accepted", 3)
        assert ran.code == DONE
        rows = [line.split() for line in ran.out.splitlines()]
        assert ["accepted", "3"] in rows
        assert ["lost", "0"] in rows
        assert [row[-3:] for row in rows if row[-1] == "removed"] == [["failed", "1", "removed"]]
        assert "· no worker that is alive listens to queue normal" in ran.out
        told = run("ledger", "--accepted", 3, "--json")
        assert told.code == DONE
        assert (told.json["accepted"], told.json["lost"], told.json["agrees"]) == (3, 0, True)
        assert (told.json["removed"], told.json["misplaced"]) == ({"failed": 1}, [])

    def test_a_lost_job_is_named(self, run: Run) -> None:
        job_id = submit("sample.echo", delay=HOUR).job_id
        Job.objects.filter(pk=job_id).update(run_at=long_ago())
        ran = run("ledger")
        assert ran.code == FAILED
        (line,) = [each for each in ran.out.splitlines() if each.startswith("✘ 1 ")]
        assert line.startswith("✘ 1 were due long ago; start a beat or a worker")
        assert line.endswith(f": {job_id}")
        ran = run("ledger", "--json")
        assert (ran.code, ran.json["lost"]) == (FAILED, 1)
        (found,) = ran.json["misplaced"]
        assert (found["count"], found["job_ids"]) == (1, [str(job_id)])

    def test_another_number_than_is_known(self, run: Run) -> None:
        submit("sample.echo")
        ran = run("ledger", "--accepted", 2)
        assert (ran.code, "you know of 2 accepted jobs" in ran.out) == (FAILED, True)
        ran = run("ledger", "--accepted", 2, "--json")
        assert (ran.code, ran.json["agrees"]) == (FAILED, False)
        assert run("ledger", "--accepted", 1).code == DONE
