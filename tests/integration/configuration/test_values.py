"""Where settings come from, and what a wrong one is told: which name, where, and never a secret."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from jobs.conf import DEFAULT_MIDDLEWARE, JobsSettings, jobs_settings, sources
from jobs.domain.errors import ConfigurationError
from jobs.public import submit
from jobs.services.retention import rules
from jobsite.env import BASE_DIR, Environment
from tests.integration.configuration.conftest import Declare, refusal

Start = Callable[..., subprocess.CompletedProcess[str]]


class TestTheEngine:
    def test_the_environment_wins_over_settings_over_the_default(
        self, declare: Declare, export: Declare
    ) -> None:
        declare(MAX_ATTEMPTS=7, TIMEOUT_SECONDS=30)
        export(MAX_ATTEMPTS="9")
        loaded, came_from = jobs_settings(), sources()
        assert (loaded.max_attempts, came_from["max_attempts"]) == (9, "environment")
        assert (loaded.timeout, came_from["timeout_seconds"]) == (timedelta(seconds=30), "settings")
        assert (loaded.lease_seconds, came_from["lease_seconds"]) == (30, "default")
        assert set(came_from) == set(JobsSettings.model_fields)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("SCHEDULER_TICK_MS", "3"),
            ("MAX_ATTEMPTS", "many"),
            ("BACKOFF_KIND", "cubic"),
            ("METRICS", "perhaps"),
            ("MIDDLEWARE", "a.b.C"),
            ("RETENTION_BY_TYPE", '{"a": '),
            ("LEASE_SECONDS", ""),
            ("QUEUE_SIZE", "many"),
            ("QUEUE_SIZE", "-1"),
            ("QUEUE_SIZE", "1e9"),
            ("WORKERS", "2.5"),
        ],
    )
    def test_a_bad_variable_is_named(self, export: Declare, name: str, value: str) -> None:
        export(**{name: value})
        told = refusal()
        assert f"JOBSITE_{name}" in told
        assert repr(value) in told

    @pytest.mark.parametrize(
        ("jobs", "told"),
        [
            ({"LEASE_SECONDS": 0}, 'JOBS["LEASE_SECONDS"] is 0: '),
            ({"QUEUE_SIZE": True}, 'JOBS["QUEUE_SIZE"] is True: must be a whole number from 0'),
            ({"QUEUE_SIZES": {"low": "all"}}, "JOBS[\"QUEUE_SIZES\"] at low is 'all': must be"),
            (
                {"MAX_ATEMPTS": 3},
                'JOBS["MAX_ATEMPTS"]: there is no such setting; did you mean \'max_att',
            ),
            ({"MIDDLEWARE": "a.b.C"}, "JOBS[\"MIDDLEWARE\"] is 'a.b.C': "),
            ({"BACKOFF_BASE_SECONDS": 9, "BACKOFF_CAP_SECONDS": 8}, "base <= cap"),
            ({"MIN_WORKERS": 5, "MAX_WORKERS": 4}, "from 5 to 4 slots"),
            ({"MIN_WORKERS": 2}, "from 2 to 0 slots"),
        ],
    )
    def test_a_bad_setting_is_named(
        self, declare: Declare, jobs: dict[str, Any], told: str
    ) -> None:
        declare(**jobs)
        assert told in refusal()

    def test_every_wrong_one_is_told_at_once(self, declare: Declare, export: Declare) -> None:
        declare(LEASE_SECONDS=0)
        export(SCHEDULER_TICK_MS="3")
        told = refusal()
        assert "JOBSITE_SCHEDULER_TICK_MS in the environment is '3'" in told
        assert 'JOBS["LEASE_SECONDS"]' in told

    @pytest.mark.parametrize(
        ("kept", "path", "value"),
        [
            ({"completd": 60}, "sample.echo.completd", "'completd'"),
            ({"running": 60}, "sample.echo.running", "'running'"),
            ({"failed": -1}, "sample.echo.failed", "-1"),
            ({"failed": "long"}, "sample.echo.failed", "'long'"),
            (60, "sample.echo", "60"),
        ],
    )
    def test_retention_by_type_is_checked_inside(
        self, declare: Declare, export: Declare, kept: Any, path: str, value: str
    ) -> None:
        declare(RETENTION_BY_TYPE={"sample.echo": kept})
        assert f'JOBS["RETENTION_BY_TYPE"] at {path} is {value}: ' in refusal()
        declare()
        export(RETENTION_BY_TYPE=json.dumps({"sample.echo": kept}))
        told = refusal()
        assert f"JOBSITE_RETENTION_BY_TYPE in the environment at {path} is {value}: " in told

    def test_lists_and_tables_are_json_in_the_environment(self, export: Declare) -> None:
        export(
            MIDDLEWARE=json.dumps(DEFAULT_MIDDLEWARE[1:]),
            RETENTION_BY_TYPE='{"sample.echo": {"failed": 60}}',
        )
        assert jobs_settings().middleware == DEFAULT_MIDDLEWARE[1:]
        own = [rule for rule in rules() if rule.job_type == "sample.echo"]
        assert [(rule.state, rule.kept) for rule in own] == [("failed", timedelta(minutes=1))]

    @pytest.mark.django_db
    def test_a_back_end_that_is_none_is_told_when_it_is_used(self, declare: Declare) -> None:
        declare(BACKEND="nope")
        with pytest.raises(ConfigurationError, match=r"'nope'.*celery, immediate, memory"):
            submit("sample.echo")

    def test_a_middleware_that_is_none_is_told(self, declare: Declare) -> None:
        declare(MIDDLEWARE=["jobs.gone.Middleware"])
        with pytest.raises(CommandError, match=r"jobs\.gone\.Middleware"):
            call_command("jobs", "middleware")


class TestTheSite:
    """Each in a process of its own: the environment is read once, at the start."""

    @pytest.fixture
    def start(self, tmp_path: Path) -> Start:
        def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
            clean = {
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("JOBSITE_", "PYTEST_", "PROMETHEUS_"))
                and name.lower() not in Environment.model_fields
            }
            given = {
                "DJANGO_SETTINGS_MODULE": "jobsite.settings",
                "JOBSITE_VAR": str(tmp_path),
                **dict.fromkeys(("DATABASE_URL", "REDIS_URL", "BROKER_URL"), ""),
                **environment,
            }
            return subprocess.run(
                [sys.executable, *(command or ("manage.py", "check"))],
                cwd=BASE_DIR,
                env={**clean, **given},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )

        return run

    def test_it_starts_with_nothing_configured(self, start: Start, tmp_path: Path) -> None:
        ran = start()
        assert ran.returncode == 0, ran.stderr
        key = tmp_path / "secret_key"
        assert len(key.read_text()) > 50
        assert key.stat().st_mode & 0o077 == 0

    @pytest.mark.parametrize(
        ("environment", "told"),
        [
            ({"LOG_LEVEL": "loud"}, "LOG_LEVEL: Input should be 'DEBUG'"),
            ({"JOBSITE_ENV": "staging"}, "JOBSITE_ENV: Input should be"),
            ({"DATABASE_URL": "mysql://u:s3cret@h/db"}, "runs on sqlite:// and postgresql://"),
            ({"JOBSITE_ENV": "production"}, "SECRET_KEY must be set in production"),
            ({"JOBSITE_SCHEDULER_TICK_MS": "3"}, "JOBSITE_SCHEDULER_TICK_MS"),
            ({"JOBSITE_VAR": "/proc/nowhere"}, "JOBSITE_VAR"),
            ({"METRICS_TOKEN": "a s3cret"}, "METRICS_TOKEN: Value error, a header must carry it"),
            ({"METRICS_TOKEN": "s3cret\n"}, "METRICS_TOKEN: "),
            (
                {"JOBSITE_QUEUE_SIZES": '{"urgent": 5}'},
                "JOBSITE_QUEUE_SIZES in the environment names the queue 'urgent', which is not "
                "there; use: critical",
            ),
        ],
    )
    def test_a_bad_variable_stops_the_start(
        self, start: Start, environment: dict[str, str], told: str
    ) -> None:
        secrets = {"SLACK_TOKEN": "s3cret", "EMAIL_URL": "smtp://u:s3cret@h", "GITHUB_TOKEN": "s3"}
        ran = start(**secrets, **environment)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert told in ran.stderr.rstrip().splitlines()[-1]
        assert "s3cret" not in ran.stderr

    def test_celery_stops_with_the_same_message(self, start: Start) -> None:
        ran = start("-m", "celery", "-A", "jobsite", "beat", LOG_LEVEL="loud", SECRET_KEY="s3cret")
        assert ran.returncode == 1
        assert "LOG_LEVEL: Input should be" in ran.stderr
        assert "s3cret" not in ran.stderr + ran.stdout

    def test_every_wrong_variable_is_told_at_once(self, start: Start) -> None:
        told = start(LOG_LEVEL="loud", LOG_FORMAT="pretty").stderr
        assert "LOG_LEVEL: " in told
        assert "LOG_FORMAT: " in told
        assert "Traceback" not in told

    def test_production_with_what_it_needs_passes_the_deployment_checks(self, start: Start) -> None:
        ran = start(
            *["manage.py", "check", "--deploy", "--fail-level", "WARNING"],
            JOBSITE_ENV="production",
            SECRET_KEY="abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFGHIJKLMNOP",
            ALLOWED_HOSTS="jobs.example.com",
        )
        assert ran.returncode == 0, ran.stderr

    def test_in_development_emails_become_files(self, start: Start, tmp_path: Path) -> None:
        code = (
            "import django; django.setup(); from django.core.mail import send_mail;"
            "send_mail('Subject', 'Body', None, ['ann@example.com'])"
        )
        ran = start("-c", code)
        assert ran.returncode == 0, ran.stderr
        (file,) = (tmp_path / "mail").iterdir()
        assert "To: ann@example.com" in file.read_text()

    def test_in_production_emails_go_to_a_server(self, start: Start) -> None:
        ran = start(
            *["-c", "from django.conf import settings; print(settings.EMAIL_BACKEND)"],
            JOBSITE_ENV="production",
            SECRET_KEY="k" * 50,
        )
        assert ran.stdout.strip() == "django.core.mail.backends.smtp.EmailBackend", ran.stderr

    def test_the_web_process_starts_without_collected_files(self, start: Start) -> None:
        ran = start("-W", "error:No directory", "-c", "import jobsite.wsgi")
        assert ran.returncode == 0, ran.stderr

    @pytest.mark.parametrize(
        ("style", "told"), [("console", "hello  "), ("auto", '"event": "hello"')]
    )
    def test_logs_that_go_into_a_pipe_have_no_colours(
        self, start: Start, style: str, told: str
    ) -> None:
        code = "import django; django.setup(); import logging; logging.error('hello')"
        ran = start("-c", code, LOG_FORMAT=style)
        assert told in ran.stderr
        assert "\x1b" not in ran.stderr

    def test_an_environment_file_is_not_needed_and_lists_are_split(self) -> None:
        environment = Environment(allowed_hosts="a.example.com, b.example.com")
        assert environment.allowed_hosts == ["a.example.com", "b.example.com"]
