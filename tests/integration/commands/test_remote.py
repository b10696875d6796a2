"""The verbs on another site, over HTTP: they do and tell what they do and tell here."""

import json
import re
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from jobs.backends.memory import drain
from jobs.domain.access import Role
from jobs.management.verbs import SITE_VERBS, VERBS
from jobs.models import AuditEntry, Job
from jobs.public import create_schedule, submit
from jobs.services import stream
from jobs.services.api_keys import create_key
from tests.integration.commands.running import (
    CONFLICT,
    DONE,
    FAILED,
    NOT_FOUND,
    TIMED_OUT,
    USAGE,
    Ran,
    Run,
)

_AGO = re.compile(r"\S+ \S+ ago")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def there(run: Run, live_server: LiveServer, transactional_db: None) -> Run:
    """Run `jobs` on the site that answers over HTTP."""
    key = create_key("remote", role=Role.ADMIN, actor="test").secret
    return lambda *arguments: run("--url", live_server.url, "--key", key, *arguments)


@pytest.fixture
def some_jobs(dead: str) -> list[str]:
    """One that failed, one that completed with a log, and one that waits."""
    done = submit("sample.chatty", priority="high").job_id
    drain()
    waiting = submit("sample.echo", {"value": 1}, tags=["nightly"]).job_id
    return [dead, str(done), str(waiting)]


class TestTheSame:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["list"],
            ["list", "--state", "dead"],
            ["list", "--type", "sample.echo", "--priority", "normal", "--limit", "1"],
            ["list", "--since", "1h", "--queue", "high"],
            ["queues"],
            ["types"],
            ["stats"],
        ],
        ids=" ".join,
    )
    def test_it_tells_what_it_tells_here(
        self, run: Run, there: Run, some_jobs: list[str], arguments: list[str]
    ) -> None:
        here, far = run(*arguments, "--json"), there(*arguments, "--json")
        assert (far.code, far.json) == (DONE, here.json)
        assert here.json
        assert there(*arguments).code == DONE

    def test_it_shows_a_job_as_here(self, run: Run, there: Run, some_jobs: list[str]) -> None:
        for job_id in some_jobs:
            assert there("show", job_id, "--json").json == run("show", job_id, "--json").json
            here, far = run("show", job_id), there("show", job_id)
            assert _AGO.sub("", far.out) == _AGO.sub("", here.out)

    def test_a_list_has_whole_ids_for_no_part_is_known_there(
        self, there: Run, some_jobs: list[str]
    ) -> None:
        told = there("list").out
        assert all(job_id in told for job_id in some_jobs)
        part = there("show", some_jobs[0][-8:])
        assert (part.code, "whole id" in part.error) == (NOT_FOUND, True)


class TestChanging:
    def test_a_job_is_submitted_with_its_options(self, there: Run) -> None:
        told = there(
            "submit", "sample.echo", "-p", "value=7", "--priority", "low", "--delay", "1h",
            "--key", "k", "--max-attempts", 2, "--timeout", "5s", "--json",
        )  # fmt: skip
        assert (told.code, told.json["message"], told.json["state"]) == (
            DONE, "accepted", "scheduled",
        )  # fmt: skip
        job = Job.objects.get(pk=told.json["jobId"])
        assert (job.params, job.priority_label, job.max_attempts) == ({"value": 7}, "low", 2)
        assert (job.timeout.total_seconds(), job.idempotency_key) == (5, "k")
        assert AuditEntry.objects.filter(action="job.submit").get().actor.endswith("(remote)")
        again = there("submit", "sample.echo", "-p", "value=7", "--key", "k")
        assert "known by its key" in again.out

    def test_one_is_followed_to_its_end(self, there: Run, settings: Settings) -> None:
        settings.JOBS = {**settings.JOBS, "BACKEND": "immediate"}
        told = there("submit", "sample.echo", "-p", "value=7", "--wait", "--json")
        assert (told.code, told.json["state"], told.json["result"]) == (
            DONE, "completed", 7,
        )  # fmt: skip
        assert there("watch", told.json["id"]).code == DONE

    def test_one_that_does_not_end_is_waited_for_as_long_as_told(self, there: Run) -> None:
        job_id = submit("sample.echo").job_id
        assert there("watch", job_id, "--wait", "100ms").code == TIMED_OUT

    def test_jobs_are_cancelled_and_queued_again(self, there: Run, some_jobs: list[str]) -> None:
        dead, done, waiting = some_jobs
        told = there("cancel", waiting, done, "--json")
        assert told.code == CONFLICT
        assert [each.get("state") for each in told.json] == ["cancelled", None]
        assert "queued" in there("retry", dead, waiting).out
        assert Job.objects.filter(state="queued").count() == 2

    @pytest.mark.parametrize("picked", [["--all"], ["--type", "sample.trouble", "--since", "1h"]])
    def test_dead_letters_are_queued_again_and_removed(
        self, there: Run, dead: str, picked: list[str]
    ) -> None:
        assert there("retry", *picked, "--json").json == {"retried": 1}
        drain()
        assert there("discard", *picked).out.strip() == "1 dead letter removed"
        assert not Job.objects.filter(pk=dead).exists()

    def test_queues_are_paused_and_resumed(self, there: Run) -> None:
        assert there("pause", "low", "high", "--json").json == {"paused": ["low", "high"]}
        assert "paused" in there("queues").out
        assert there("resume", "all").code == DONE

    def test_a_schedule_is_triggered(self, there: Run) -> None:
        create_schedule("nightly", "sample.echo", cron="0 3 * * *", params={"value": 3})
        told = there("trigger", "nightly", "--json")
        assert Job.objects.get(pk=told.json["jobId"]).params == {"value": 3}
        assert there("trigger", "weekly").code == NOT_FOUND

    def test_events_are_followed(
        self, there: Run, settings: Settings, redis_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.JOBS = {**settings.JOBS, "REDIS_URL": redis_url, "BACKEND": "celery"}
        job_id = str(submit("sample.echo").job_id)
        stream.flush()
        told: list[Any] = []
        monkeypatch.setattr(
            "rich.console.Console.out", lambda _self, text, **_: (_ for _ in ()).throw(_Seen(text))
        )
        while job_id not in str(told):
            with pytest.raises(_Seen) as seen:
                there("events", "--since", told[-1]["id"] if told else "0", "--json")
            told.append(json.loads(str(seen.value)))
        assert told[-1]["job_type"] == "sample.echo"


class _Seen(Exception):
    """An event was printed: the following ends."""


class TestWhatCannotBe:
    @pytest.mark.parametrize(
        ("arguments", "code", "why"),
        [
            (["show", str(uuid4())], NOT_FOUND, "no job"),
            (["submit", "sample.nothing"], USAGE, "sample.nothing"),
            (["submit", "sample.echo", "-p", "other=1", "--queue", "no"], USAGE, "no"),
            (["list", "--state", "gone"], USAGE, "state"),
            (["pause", "nowhere"], NOT_FOUND, "nowhere"),
            (["events", "--no-follow"], USAGE, "--no-follow"),
            (["purge"], USAGE, "this site alone"),
            (["keys", "list"], USAGE, "this site alone"),
        ],
    )
    def test_it_says_so_as_here(
        self, there: Run, arguments: list[str], code: int, why: str
    ) -> None:
        ran = there(*arguments)
        assert (ran.code, why in ran.error) == (code, True), ran.error

    @pytest.mark.parametrize(
        ("address", "key", "code", "why"),
        [
            ("{url}", "jsk_wrong", FAILED, "key"),
            ("{url}", "", FAILED, "JOBS_KEY"),
            ("http://127.0.0.1:1", "x", FAILED, "does not answer"),
            ("http://jobs.example.org", "x", FAILED, "https"),
            ("jobs.example.org", "x", FAILED, "http(s)://"),
        ],
    )
    def test_nor_can_a_site_that_is_none(
        self, run: Run, live_server: LiveServer, address: str, key: str, code: int, why: str
    ) -> None:
        ran: Ran = run("--url", address.format(url=live_server.url), "--key", key, "list")
        assert (ran.code, why in ran.error) == (code, True), ran.error
        assert "Traceback" not in ran.error


def test_the_environment_says_which_site_and_which_key(
    run: Run, there: Run, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBS_URL", live_server.url)
    monkeypatch.setenv("JOBS_KEY", create_key("env", role=Role.VIEWER, actor="test").secret)
    assert run("list").out == "no jobs match\n"
    refused = run("submit", "sample.echo")
    assert (refused.code, "submit" in refused.error) == (FAILED, True)
    assert Job.objects.count() == 0
    assert run("ledger").code == DONE  # of this site alone


def test_every_verb_is_of_one_kind() -> None:
    assert not SITE_VERBS.keys() & VERBS.keys()
