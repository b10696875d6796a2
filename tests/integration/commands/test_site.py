"""The verbs about the whole site: types, stats, middleware, metrics, redis, purge, config."""

from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from jobs.conf import DEFAULT_MIDDLEWARE, JobsSettings
from jobs.domain.registry import registry
from jobs.models import Job
from jobs.public import submit
from tests.integration.commands.running import USAGE, Run


def test_types(run: Run) -> None:
    rows = run("types").out.splitlines()[1:]
    assert [row.split()[0] for row in rows] == [each.name for each in registry]
    told = {each["name"]: each for each in run("types", "--json").json}
    assert told["sample.own_queue"]["queue"] == "sample"
    assert told["sample.sleepy"]["timeout_seconds"] == 1
    assert set(told["sample.trouble"]["params"]["properties"]) == {"kind", "path", "fail_times"}


def test_stats(run: Run, dead: str) -> None:
    submit("sample.echo")
    counted = run("stats", "--json").json
    assert (counted["total"], counted["failed"], counted["waiting"]) == (2, 1, 1)
    told = run("stats").out
    assert "✘ failed" in told
    assert [line.split() for line in told.splitlines() if line.startswith("sample.trouble")] == [
        ["sample.trouble", "0", "1", "0", "-"]
    ]
    assert [line.split() for line in told.splitlines() if line.startswith("normal")] == [
        ["normal", "1", "0", "0", "0", "1"]
    ]


def test_middleware(run: Run) -> None:
    assert run("middleware", "--json").json == DEFAULT_MIDDLEWARE
    rows = run("middleware").out.splitlines()[1:]
    assert [row.split()[1] for row in rows[:-1]] == DEFAULT_MIDDLEWARE
    assert rows[-1].endswith("the handler  ") or "the handler" in rows[-1]


def test_metrics(run: Run) -> None:
    submit("sample.echo")
    for told in (run("metrics").out, run("metrics", "--json").json["exposition"]):
        families = {each.name: each for each in text_string_to_metric_families(told)}
        depths = {
            each.labels["queue"]: each.value for each in families["jobsite_job_queue_depth"].samples
        }
        assert depths == {**dict.fromkeys(registry.celery_queues(), 0), "normal": 1}


def test_redis(run: Run, redis_url: str) -> None:
    told = run("redis", "--json").json
    embedded = redis_url.startswith("unix:")
    assert told["state"] == ("running" if embedded else "not embedded")
    assert isinstance(told["pid"], int) is embedded
    assert run("redis").out.startswith(f"embedded Redis: {told['state']}")


def test_a_dry_run_counts_what_a_real_one_removes(run: Run, dead: str) -> None:
    Job.objects.filter(pk=dead).update(finished_at=timezone.now() - timedelta(days=31))
    dry = run("purge", "--dry-run", "--json").json
    assert (dry["dry_run"], dry["removed"]["failed"]) == (True, 1)
    assert Job.objects.count() == 1
    assert run("purge", "--json").json == {"dry_run": False, "removed": dry["removed"]}
    assert Job.objects.count() == 0
    rows = dict(line.split() for line in run("purge").out.splitlines()[1:])
    assert rows["failed"] == "0"


def test_a_wrong_batch_size(run: Run) -> None:
    assert run("purge", "--batch-size", "0").code == USAGE


def test_each_setting_with_its_source(
    run: Run, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv("JOBSITE_MAX_ATTEMPTS", "9")
    settings.JOBS = {**settings.JOBS, "RETENTION_BY_TYPE": {"a.b": {"failed": 60}}}
    told = run("config", "--json").json
    assert set(told) == set(JobsSettings.model_fields)
    assert told["max_attempts"] == {
        "value": 9,
        "source": "environment",
        "variable": "JOBSITE_MAX_ATTEMPTS",
        "other_names": ["max_retries"],
    }
    assert told["backend"]["source"] == "settings"
    assert told["retention_by_type"]["value"] == {"a.b": {"failed": 60}}
    rows = {line.split()[0]: line for line in run("config").out.splitlines()}
    assert rows["MAX_ATTEMPTS"].split() == ["MAX_ATTEMPTS", "9", "environment",
                                            "JOBSITE_MAX_ATTEMPTS"]  # fmt: skip
    assert '{"a.b": {"failed": 60.0}}' in rows["RETENTION_BY_TYPE"]
    assert f'["{DEFAULT_MIDDLEWARE[0]}", ' in rows["MIDDLEWARE"]
    assert rows["METRICS"].split()[1] == "true"


@pytest.mark.parametrize(
    "url",
    [
        "redis://:s3cret@host:6379/0",
        "redis://user:s3cret@host/0",
        "rediss://user:s3/cret#@host/0",
        "redis://host/0?username=u&password=s3cret",
    ],
)
def test_a_password_is_never_printed(run: Run, settings: Settings, url: str) -> None:
    settings.JOBS = {**settings.JOBS, "REDIS_URL": url}
    told = run("config").out
    assert "***" in told
    assert "host" in told
    assert "s3" not in told + run("config", "--json").out
