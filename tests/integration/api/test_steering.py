"""Dead letters, queues, schedules and figures over HTTP."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from jobs.backends.memory import drain
from jobs.contrib.digests.models import Digest
from jobs.models import AuditEntry, Job, Queue, Schedule, Worker
from jobs.public import get, submit
from jobs.selectors.clock import database_now
from jobs.selectors.performance import spread
from tests.integration.api.conftest import Caller

pytestmark = pytest.mark.django_db


def dead(kind: str = "permanent", **options: Any) -> UUID:
    job_id = submit("sample.trouble", {"kind": kind}, **options).job_id
    drain()
    return job_id


class TestDeadLetters:
    def test_they_are_listed_the_latest_first(self, viewer: Caller) -> None:
        ids = [str(dead()) for _ in range(3)]
        submit("sample.echo")
        first = viewer.get("/api/dead-letters?limit=2")
        second = viewer.get(f"/api/dead-letters?limit=2&cursor={first['next']}")
        seen = [each["id"] for each in [*first["items"], *second["items"]]]
        assert (seen, second["next"]) == (ids[::-1], None)
        assert viewer.get("/api/dead-letters?failure_reason=timeout")["items"] == []
        assert len(viewer.get("/api/dead-letters?type=sample.trouble")["items"]) == 3

    def test_one_and_all_that_match_are_retried(self, operator: Caller) -> None:
        one, others = dead(), [dead(priority="low") for _ in range(2)]
        assert operator.post(f"/api/dead-letters/{one}/retry")["state"] == "queued"
        told = operator.post(f"/api/dead-letters/{one}/retry", status=409)
        assert told["code"] == "invalid_transition"
        told = operator.post("/api/dead-letters/retry", {"queue": "low"})
        assert told == {"count": 2, "left": False}
        assert {get(each).state for each in others} == {"queued"}

    def test_they_are_removed_by_an_admin_alone(self, caller: Any, operator: Caller) -> None:
        dead()
        operator.post("/api/dead-letters/purge", {"all": True}, 403)
        admin = caller("admin")
        assert admin.post("/api/dead-letters/purge", {"all": True})["count"] == 1
        assert not Job.objects.exists()
        entry = AuditEntry.objects.get(action="job.discard")
        assert entry.details == {"count": 1}

    def test_nobody_means_all_by_saying_nothing(self, operator: Caller) -> None:
        dead()
        for body in ({}, {"all": False}, {"all": True, "queue": "low"}):
            told = operator.post("/api/dead-letters/retry", body, 400)
            assert [each["path"] for each in told["errors"]] == ["all"]
        assert operator.post("/api/dead-letters/retry", {"all": "yes"}, 400)
        assert Job.objects.get().state == "failed"


class TestQueues:
    def test_a_queue_is_paused_and_resumed(self, operator: Caller) -> None:
        submit("sample.echo", priority="low")
        assert operator.post("/api/queues/low/pause") == {"queues": ["low"]}
        assert operator.post("/api/queues/low/pause") == {"queues": []}
        low = next(each for each in operator.get("/api/queues") if each["name"] == "low")
        assert (low["ready"], low["paused"]) == (1, True)
        assert low["paused_by"].startswith("key jsk_")
        assert operator.post("/api/queues/low/resume") == {"queues": ["low"]}
        assert Queue.objects.get(name="low").paused_at is None
        told = operator.post("/api/queues/nowhere/pause", status=404)
        assert told["code"] == "queue_not_found"


class TestSchedules:
    @pytest.fixture
    def admin(self, caller: Any) -> Caller:
        made: Caller = caller("admin")
        return made

    def body(self, **changes: Any) -> dict[str, Any]:
        return {"name": "nightly", "type": "sample.echo", "cron": "0 3 * * *", **changes}

    def test_it_is_kept(self, admin: Caller) -> None:
        made = admin.post("/api/jobs/schedules", self.body(time_zone="Europe/Berlin"), 201)
        address = f"/api/jobs/schedules/{made['id']}"
        assert admin.get(address) == made
        assert (made["enabled"], made["next_run_at"] is not None) == (True, True)
        changes = {"cron": "@hourly", "priority": "high", "params": {"value": 1}}
        changed = admin.told(admin.send("PATCH", address, changes), 200)
        assert (changed["cron"], changed["priority"]) == ("@hourly", "high")
        assert admin.told(admin.send("PATCH", address, {"priority": None}), 200)["priority"] is None
        assert admin.post(f"{address}/disable")["next_run_at"] is None
        assert admin.post(f"{address}/enable")["next_run_at"] is not None
        assert len(admin.get(f"{address}/next?count=7")["occurrences"]) == 7
        assert admin.send("DELETE", address).status_code == 204
        admin.get(address, 404)
        acts = list(AuditEntry.objects.filter(target_type="schedule").order_by("id"))
        assert [each.action.partition(".")[2] for each in acts] == [
            "create", "change", "change", "change", "change", "delete",
        ]  # fmt: skip
        assert acts[1].details["before"]["cron"] == "0 3 * * *"
        assert acts[1].details["after"]["cron"] == "@hourly"

    def test_its_policies_are_kept(self, admin: Caller) -> None:
        policies = {
            "overlap": "queue_one", "missed": "skip", "jitter_seconds": 60,
            "starts_at": "2031-01-01T00:00:00Z", "ends_at": "2031-01-03T00:00:00Z",
        }  # fmt: skip
        made = admin.post("/api/jobs/schedules", self.body(**policies), 201)
        assert {name: made[name] for name in policies} == policies
        address = f"/api/jobs/schedules/{made['id']}"
        assert admin.get(f"{address}/next")["occurrences"] == [
            "2031-01-01T03:00:00Z", "2031-01-02T03:00:00Z",
        ]  # fmt: skip
        changed = admin.told(admin.send("PATCH", address, {"ends_at": None, "missed": "all"}), 200)
        assert (changed["ends_at"], changed["missed"], changed["overlap"]) == (
            None, "all", "queue_one",
        )  # fmt: skip
        told = admin.told(admin.send("PATCH", address, {"ends_at": "2030-01-01T00:00:00Z"}), 400)
        assert "it would never run" in told["detail"]
        admin.told(admin.send("PATCH", address, {"overlap": "maybe"}), 400)

    def test_a_change_is_simulated_and_not_made(self, admin: Caller) -> None:
        made = admin.post("/api/jobs/schedules", self.body(time_zone="Europe/Berlin"), 201)
        address = f"/api/jobs/schedules/{made['id']}"
        change = {"cron": "30 2 * * 0", "starts_at": "2031-01-01T00:00:00Z"}
        told = admin.post(f"{address}/simulate", change)
        assert (len(told["before"]), len(told["after"])) == (50, 50)
        assert told["after"][0] == "2031-01-05T01:30:00Z"
        assert "2031-03-30T01:00:00Z" in told["after"]  # 02:30 is skipped on that day
        assert any(
            note.startswith("2031-03-30 01:00 UTC: the clocks of Europe/Berlin go forward by 60")
            for note in told["notes"]
        )
        assert admin.get(address)["cron"] == made["cron"]
        assert admin.post(f"{address}/simulate", {"cron": "x"}, 400)["code"] == "invalid_cron"
        ended = admin.post(f"{address}/simulate", {"ends_at": "2026-01-01T00:00:00Z"})
        assert (ended["after"], ended["notes"]) == ([], ["it would not run again"])

    def test_when_many_run_at_once(self, admin: Caller) -> None:
        Schedule.objects.all().delete()
        for name, cron in (("a", "0 3 * * *"), ("b", "0 3 * * *"), ("c", "0 */3 * * *")):
            admin.post("/api/jobs/schedules", self.body(name=name, cron=cron), 201)
        [first, *rest] = admin.get("/api/jobs/schedules/collisions")
        assert (first["schedules"], rest) == (["a", "b", "c"], [])
        assert first["at"].endswith("T03:00:00Z")
        admin.get("/api/jobs/schedules/collisions?hours=25", 400)

    def test_it_is_triggered_and_its_next_run_stays(self, admin: Caller) -> None:
        made = admin.post("/api/jobs/schedules", self.body(), 201)
        told = admin.post(f"/api/jobs/schedules/{made['id']}/trigger", status=202)
        job = get(told["jobId"])
        assert (job.trigger, job.schedule_id) == ("manual", made["id"])
        assert admin.get(f"/api/jobs/schedules/{made['id']}")["next_run_at"] == made["next_run_at"]

    def test_what_is_wrong_is_named(self, admin: Caller) -> None:
        for changes, code in (
            ({"cron": "61 * * * *"}, "invalid_cron"),
            ({"time_zone": "Mars/Base"}, "unknown_time_zone"),
            ({"type": "no.such"}, "unknown_job_type"),
            ({"params": {"no": 1}}, "invalid_parameters"),
            ({"enabled": "yes"}, "invalid_request"),
            ({"name": ""}, "invalid_request"),
        ):
            assert admin.post("/api/jobs/schedules", self.body(**changes), 400)["code"] == code
        assert not Schedule.objects.filter(name="nightly").exists()
        told = admin.get("/api/jobs/schedules/preview?cron=99+*+*+*+*", 400)
        assert told["code"] == "invalid_cron"
        told = admin.get("/api/jobs/schedules/preview?cron=0+3+*+*+*&count=3")
        assert len(told["occurrences"]) == 3

    def test_who_may_do_what(self, viewer: Caller, operator: Caller, admin: Caller) -> None:
        made = admin.post("/api/jobs/schedules", self.body(), 201)
        address = f"/api/jobs/schedules/{made['id']}"
        viewer.get(address)
        viewer.post(f"{address}/trigger", status=403)
        operator.post(f"{address}/trigger", status=202)
        operator.post(f"{address}/disable", status=403)
        operator.post("/api/jobs/schedules", self.body(name="other"), 403)


class TestFigures:
    def test_the_counts_are_those_of_the_table(self, viewer: Caller) -> None:
        dead()
        submit("sample.echo")
        submit("sample.echo", delay=timedelta(hours=1), priority="low")
        stats = viewer.get("/api/jobs/stats")
        counted = {"total": 3, "pending": 2, "processing": 0, "completed": 0, "failed": 1}
        assert {name: stats[name] for name in counted} == counted
        assert stats["by_type"] == {
            "sample.echo": {"queued": 1, "scheduled": 1}, "sample.trouble": {"failed": 1},
        }  # fmt: skip
        told = viewer.get("/api/jobs/metrics")
        depths = {"waiting": 1, "active": 0, "completed": 0, "failed": 1, "delayed": 1}
        assert told["total"] == depths
        assert told["queues"]["low"] == {**dict.fromkeys(depths, 0), "delayed": 1}

    def test_how_quickly_jobs_start_and_run(self, viewer: Caller) -> None:
        for _ in range(3):
            submit("sample.echo")
        drain()
        dead()
        told = viewer.get("/api/jobs/metrics")
        assert told["completed_last_minute"] == 3
        assert told["success_ratio_last_hour"] == 0.75
        types = {each["type"]: each for each in viewer.get("/api/jobs/performance")}
        echo = types["sample.echo"]
        assert (echo["sample"], echo["completed_last_hour"]) == (3, 3)
        assert 0 <= echo["run_seconds"]["p50"] <= echo["run_seconds"]["p99"] < 5
        assert echo["wait_seconds"]["p95"] is not None
        assert types["sample.trouble"]["failed_last_hour"] == 1

    def test_percentiles_are_values_that_occurred(self) -> None:
        assert (spread([3, 1, 2, 4]).p50, spread([3, 1, 2, 4]).p95) == (2, 4)
        assert spread(range(1, 101)).p99 == 99
        assert spread([]).p50 is None

    def test_workers_and_how_they_are(self, viewer: Caller) -> None:
        now = database_now()
        ids = [
            Worker.objects.create(
                name=f"w{number}@host", host="host", pid=number, queues=["low"], concurrency=2,
                started_at=now - timedelta(minutes=5), seen_at=now,
                expires_at=now + timedelta(seconds=lease), ailment=ailment,
            ).pk
            for number, (lease, ailment) in enumerate([(30, ""), (30, "deaf"), (-1, "")])
        ]  # fmt: skip
        found = {each["name"]: each for each in viewer.get("/api/jobs/workers")}
        assert [found[f"w{n}@host"]["health"] for n in range(3)] == ["healthy", "ailing", "lost"]
        told = viewer.get(f"/api/jobs/workers/{ids[0]}")
        assert (told["concurrency"], told["running"]) == (2, 0)
        assert told["uptime_seconds"] >= 300
        viewer.get(f"/api/jobs/workers/{uuid4()}", 404)


class TestProducts:
    def test_a_digest_is_read(self, viewer: Caller) -> None:
        now = database_now()
        digest = Digest.objects.create(
            repository="a/b", source="git", start=now - timedelta(days=7), end=now, title="Week",
            data={"n": 1}, markdown="# Week", html="<h1>Week</h1>",
        )  # fmt: skip
        (listed,) = viewer.get("/api/digests?repository=a/b")["items"]
        assert (listed["id"], "markdown" in listed) == (digest.pk, False)
        assert viewer.get(f"/api/digests/{digest.pk}")["markdown"] == "# Week"
        assert viewer.get("/api/digests?repository=c/d")["items"] == []
        assert viewer.get("/api/digests/9999999", 404)["code"] == "digest_not_found"

    def test_health_is_told_check_by_check(self, viewer: Caller) -> None:
        response = viewer.send("GET", "/api/health")
        told = response.json()
        assert response.status_code == (200 if told["healthy"] else 503)
        assert "database" in {each["name"] for each in told["checks"]}
        assert max(each["seconds"] for each in told["checks"]) < 1.2
