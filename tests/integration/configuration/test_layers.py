"""The layers of settings: the environment, a file, Django's settings, a profile, the default."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs.conf import jobs_settings, sources
from jobs.domain.backoff import Backoff
from jobs.domain.profiles import PROFILES
from jobs.models import Attempt, Job
from jobs.public import get, submit
from jobs.runtime.executor import run_ready
from jobs.runtime.metrics import exposition
from jobs.services.taking import Taker
from jobs.services.timekeeping import promote_due
from jobsite.env import BASE_DIR, environment
from tests.integration.configuration.conftest import Declare, refusal

Write = Callable[[str], Path]


@pytest.fixture
def write(export: Declare, tmp_path: Path) -> Write:
    """Write the settings' file, and have the environment name it."""

    def text(toml: str) -> Path:
        path = tmp_path / "jobsite.toml"
        path.write_text(toml)
        export(CONFIG=str(path))
        return path

    return text


def shown(**variables: str) -> dict[str, dict[str, Any]]:
    """Return what `jobs config` shows of a site that is started with these variables."""
    env = {**os.environ, **variables}
    command = [sys.executable, "manage.py", "jobs", "config", "--json"]
    done = subprocess.run(
        command, cwd=BASE_DIR, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return told


def test_each_layer_wins_over_those_below(declare: Declare, write: Write, export: Declare) -> None:
    def now() -> tuple[int, str]:
        jobs_settings.cache_clear()
        return jobs_settings().batch_size, sources()["batch_size"]

    assert now() == (100, "default")
    export(PROFILE="constrained")
    assert now() == (10, "profile constrained")
    declare(BATCH_SIZE=20)
    assert now() == (20, "settings")
    write("[job_queue]\nbatch_size = 30")
    assert now() == (30, "file")
    export(BATCH_SIZE="40")
    assert now() == (40, "environment")


def test_the_profile_may_be_named_by_any_layer(declare: Declare, write: Write) -> None:
    declare(PROFILE="latency")
    assert jobs_settings().batch_size == 50
    write('[job_queue]\nprofile = "throughput"')
    assert (jobs_settings().batch_size, sources()["profile"]) == (500, "file")


# The values that each kind of work asks for, and nothing besides.
@pytest.mark.parametrize(
    ("profile", "values"),
    [
        ("throughput", {"batch_size": 500, "batch_timeout_seconds": 2, "workers": 50,
                        "backoff_base_seconds": 0.05, "backoff_cap_seconds": 5}),
        ("latency", {"batch_size": 50, "batch_timeout_seconds": 1, "workers": 20,
                     "poll_interval_ms": 500}),
        ("constrained", {"batch_size": 10, "batch_timeout_seconds": 10, "workers": 2,
                         "poll_interval_ms": 2000}),
        ("reliability", {"batch_size": 50, "batch_timeout_seconds": 5, "max_attempts": 11,
                         "workers": 5, "backoff_base_seconds": 0.2, "backoff_cap_seconds": 120}),
        ("actions", {"batch_size": 100, "batch_timeout_seconds": 5, "max_attempts": 6,
                     "workers": 10, "poll_interval_ms": 1000, "backoff_base_seconds": 0.1,
                     "backoff_cap_seconds": 30, "timeout_seconds": 60}),
    ],
)  # fmt: skip
def test_a_profile_sets_exactly_its_values(profile: str, values: dict[str, float]) -> None:
    told = shown(JOBSITE_PROFILE=profile)
    of_profile = {
        name: each["value"] for name, each in told.items() if each["source"] == f"profile {profile}"
    }
    assert of_profile == values
    assert told["profile"] == {
        "value": profile, "source": "environment", "variable": "JOBSITE_PROFILE", "other_names": [],
    }  # fmt: skip


def test_there_are_no_other_profiles(export: Declare) -> None:
    assert sorted(PROFILES) == ["actions", "constrained", "latency", "reliability", "throughput"]
    export(PROFILE="fast")
    told = refusal()
    assert "JOBSITE_PROFILE in the environment is 'fast'" in told
    assert all(f"'{name}'" in told for name in PROFILES)


def test_eight_variables_of_another_systems_names() -> None:
    told = shown(
        JOBSITE_URL="redis://localhost:1/3",
        JOBSITE_BATCH_SIZE="7",
        JOBSITE_BATCH_TIMEOUT_SECS="6",
        JOBSITE_MAX_RETRIES="5",
        JOBSITE_INITIAL_DELAY_MS="100",
        JOBSITE_MAX_DELAY_MS="30000",
        JOBSITE_WORKER_CONCURRENCY="10",
        JOBSITE_POLL_INTERVAL_MS="900",
    )
    found = {name: (each["value"], each["source"]) for name, each in told.items()}
    assert found["redis_url"] == ("redis://localhost:1/3", "environment (JOBSITE_URL)")
    assert found["batch_size"] == (7, "environment")
    assert found["batch_timeout_seconds"] == (6, "environment (JOBSITE_BATCH_TIMEOUT_SECS)")
    assert found["max_attempts"] == (6, "environment (JOBSITE_MAX_RETRIES)")
    assert found["backoff_base_seconds"] == (0.1, "environment (JOBSITE_INITIAL_DELAY_MS)")
    assert found["backoff_cap_seconds"] == (30, "environment (JOBSITE_MAX_DELAY_MS)")
    assert found["workers"] == (10, "environment (JOBSITE_WORKER_CONCURRENCY)")
    assert found["poll_interval_ms"] == (900, "environment")


def test_the_same_names_in_the_file_and_in_settings(declare: Declare, write: Write) -> None:
    declare(MAX_RETRIES=2)
    assert (jobs_settings().max_attempts, sources()["max_attempts"]) == (
        3,
        "settings (MAX_RETRIES)",
    )
    write(
        """
        [features]
        metrics = false
        [job_queue]
        max_retries = 5
        initial_delay_ms = 50
        max_delay_ms = 5000
        retention_by_type = {"a.b" = {failed = 60}}
        """
    )
    loaded = jobs_settings()
    assert (loaded.max_attempts, sources()["max_attempts"]) == (6, "file (max_retries)")
    assert (loaded.backoff_base_seconds, loaded.backoff_cap_seconds) == (0.05, 5)
    assert loaded.metrics is False
    assert loaded.retention_by_type == {"a.b": {"failed": 60}}


class TestTheRedisOfTheSite:
    @pytest.fixture(autouse=True)
    def _site(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        for name in ("REDIS_URL", "BROKER_URL", "JOBSITE_URL"):
            monkeypatch.delenv(name, raising=False)
        environment.cache_clear()
        yield
        environment.cache_clear()

    def test_unset_it_is_the_embedded_one(self) -> None:
        assert environment().embedded_redis

    def test_the_file_and_the_environment_name_it(self, write: Write, export: Declare) -> None:
        write('[job_queue]\nurl = "redis://file:6379"')
        assert environment().broker == environment().redis == "redis://file:6379"
        environment.cache_clear()
        export(URL="redis://environment:6379")
        assert environment().broker == "redis://environment:6379"
        assert not environment().embedded_redis

    def test_the_sites_own_variable_wins(
        self, export: Declare, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        export(URL="redis://other:6379")
        monkeypatch.setenv("REDIS_URL", "redis://own:6379")
        assert environment().broker == "redis://own:6379"

    def test_a_file_that_cannot_be_used_stops_the_start(self, export: Declare) -> None:
        export(CONFIG="/nowhere/jobsite.toml")
        with pytest.raises(SystemExit, match=r"JOBSITE_CONFIG names /nowhere/jobsite.toml"):
            environment()


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("[job_queue]\nbatch_size = 0", "batch_size in [job_queue] of {path} is 0: "),
        ("[job_queue]\nbatch_sise = 5",
         "batch_sise in [job_queue] of {path}: there is no such setting; did you mean "
         "'batch_size'?"),
        ("[job_queue]\nmax_retries = 'many'", "max_retries in [job_queue] of {path} is 'many': "),
        ("[job_queue]\nmax_retries = inf", "is inf: must be a number"),
        ("[job_queue]\nmax_delay_ms = nan", "is nan: must be a number"),
        ("[job_queue]\nmax_retries = -1", "is -1: must be a whole number from 0"),
        ("[job_queue]\ninitial_delay_ms = true", "is True: must be a number"),
        ("[job_queue]\nmax_delay_ms = -5", "max_delay_ms in [job_queue] of {path} is -5: "),
        ("[job_queue]\nworkers = 'some'", "must be a whole number from 0 to 1000, or auto"),
        ("[job_queue]\nmax_retries = 1\nmax_attempts = 2",
         "max_retries in [job_queue] of {path} and max_attempts in [job_queue] of {path} are the "
         "same setting: leave one out"),
        ("[features]\nmetrics = true\n[job_queue]\nmetrics = false", "are the same setting"),
        ("[features]\njob_queue = 'off'", "job_queue in [features] of {path} is 'off': "),
        ("[features]\nspeed = true", "there are job_queue and metrics"),
        ("[jobqueue]\nbatch_size = 5", "{path} has 'jobqueue', which nobody reads"),
        ("batch_size = 5", "{path} has 'batch_size', which nobody reads"),
        ("[job_queue", "{path} is not TOML: "),
        ("[job_queue]\ninitial_delay_ms = 9000\nmax_delay_ms = 8000", "base <= cap"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_file_is_named(write: Write, toml: str, told: str) -> None:
    path = write(toml)
    assert told.format(path=path) in refusal()


def test_a_wrong_variable_is_told_by_the_name_it_has(export: Declare) -> None:
    export(MAX_RETRIES="2000")
    assert "JOBSITE_MAX_RETRIES in the environment is '2000': " in refusal()


@pytest.mark.django_db
class TestWhatTheyMean:
    def test_five_retries_after_the_first_run(self, declare: Declare) -> None:
        declare(MAX_RETRIES=5, INITIAL_DELAY_MS=0, MAX_DELAY_MS=0, BACKEND="memory")
        job_id = submit("sample.default").job_id
        for _ in range(20):
            promote_due()
            run_ready(Taker(worker_id=None, pid=1), ["normal"])
        job = get(job_id)
        assert (job.state, job.failure_reason) == ("failed", "retries_exhausted")
        assert (job.attempt, Attempt.objects.filter(job=job).count()) == (6, 6)

    def test_the_first_retry_after_100_ms_and_none_after_more_than_30_s(
        self, declare: Declare
    ) -> None:
        declare(PROFILE="actions", BACKOFF_JITTER="none")
        backoff: Backoff = jobs_settings().backoff
        waits = [backoff.delay(failures) for failures in range(1, 40)]
        assert waits[:3] == [timedelta(seconds=0.1 * 2**n) for n in range(3)]
        assert max(waits) == timedelta(seconds=30)

    def test_without_the_queue_a_submission_runs_the_job(self, write: Write) -> None:
        write("[features]\njob_queue = false")
        accepted = submit("sample.echo", {"value": 7})
        assert (get(accepted.job_id).state, get(accepted.job_id).result) == ("completed", 7)
        assert accepted.as_json().keys() == {"message", "jobId", "state", "duplicate"}

    def test_with_it_the_back_end_stays_as_it_is(self, declare: Declare, write: Write) -> None:
        declare(BACKEND="memory")
        write("[features]\njob_queue = true")
        assert jobs_settings().backend == "memory"
        submit("sample.echo")
        assert Job.objects.get().state == "queued"

    def test_without_metrics_there_are_no_series(self, write: Write) -> None:
        assert b"jobsite_job_queue_depth" in exposition()
        write("[features]\nmetrics = false")
        assert exposition() == b""
