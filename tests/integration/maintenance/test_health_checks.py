"""Each check is forced to fail by itself, on the real parts, while the others stay healthy."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, connections
from django.utils import timezone
from pytest_django import Settings

from jobs.models import Job, Worker
from maintenance.checking import run_checks
from maintenance.outcomes import CheckResult, Status
from maintenance.registry import health_checks
from tests.integration.maintenance.conftest import Outside

EXTERNAL = {"github", "slack", "smtp"}


def results() -> dict[str, CheckResult]:
    found = {result.name: result for result in run_checks(health_checks())}
    assert not [name for name, result in found.items() if "SECRET" in result.message]
    return found


def failing() -> dict[str, str]:
    return {name: result.message for name, result in results().items() if not result.healthy}


def add_jobs(state: str, count: int) -> None:
    now = timezone.now()
    finished = {"finished_at": now} if state == "failed" else {}
    Job.objects.bulk_create(
        Job(
            job_type="sample.echo",
            queue="normal",
            state=state,
            max_attempts=1,
            timeout=timedelta(minutes=1),
            created_at=now,
            run_at=now,
            **finished,
        )
        for _ in range(count)
    )


def change_maintenance(settings: Settings, **changes: object) -> None:
    settings.MAINTENANCE = {**settings.MAINTENANCE, **changes}


def test_on_a_healthy_site_nothing_fails(healthy_site: Settings) -> None:
    found = results()
    assert {name: found[name].message for name in EXTERNAL} == {
        "github": "not configured: GITHUB_TOKEN is empty",
        "slack": "not configured: SLACK_TOKEN is empty",
        "smtp": "not configured: EMAIL_URL is empty",
    }
    assert {found[name].status for name in EXTERNAL} == {Status.SKIPPED}
    assert {found[name].status for name in found.keys() - EXTERNAL} == {Status.HEALTHY}
    assert found["job-queue"].message == "Job queue healthy"
    assert found["workers"].message == "1 of 1 workers are alive"


def test_a_database_that_cannot_be_written(
    healthy_site: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = dict(connections.settings["default"]["OPTIONS"])
    if connection.vendor == "sqlite":
        options["init_command"] += "PRAGMA query_only=1;"
    else:
        options["options"] = "-c default_transaction_read_only=on"
    monkeypatch.setitem(connections.settings["default"], "OPTIONS", options)
    (message,) = failing().values()
    assert message.startswith("the database answers but cannot be written (")


def test_a_database_that_is_away(healthy_site: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings["default"], "NAME", "/no/such/database")
    monkeypatch.setitem(connections.settings["default"], "PASSWORD", "SECRET")
    found = failing()
    # The workers and the queue are read from it; nothing else is.
    assert found.keys() == {"database", "job-queue", "workers"}
    assert found["database"].startswith("the database does not answer (OperationalError)")


def test_the_probe_leaves_nothing_behind(healthy_site: Settings) -> None:
    assert results()["database"].healthy
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM maintenance_healthreport")
        assert cursor.fetchone() == (0,)


def test_a_broker_that_is_away(
    healthy_site: Settings, broker_url: Callable[[str], None], closed_port: int
) -> None:
    broker_url(f"redis://user:SECRET@127.0.0.1:{closed_port}/0")
    assert failing() == {
        "broker": "the broker does not answer (OperationalError); is it running, and is "
        "BROKER_URL right?"
    }


@pytest.mark.parametrize("change", ["expires_at", "stopped_at"])
def test_no_worker(healthy_site: Settings, change: str) -> None:
    Worker.objects.update(**{change: timezone.now()})
    (message,) = failing().values()
    assert message.startswith("0 of ")
    assert "celery -A jobsite worker" in message


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"MIN_AVAILABLE_MEMORY_RATIO": 1}, "at least 100% should be"),
        ({"MAX_RSS_BYTES": 1024**2}, "it should be 1 MiB at most"),
    ],
)
def test_too_little_memory(healthy_site: Settings, changes: dict[str, int], told: str) -> None:
    change_maintenance(healthy_site, **changes)
    found = failing()
    assert found.keys() == {"memory"}
    assert found["memory"].endswith(told)


def test_a_full_disk(healthy_site: Settings) -> None:
    change_maintenance(healthy_site, MIN_FREE_DISK_RATIO=1)
    found = failing()
    assert found.keys() == {"disk"}
    assert found["disk"].endswith("at least 100% should be")


def test_a_var_folder_that_is_not_there_yet(healthy_site: Settings, tmp_path: Path) -> None:
    env = healthy_site.ENV.model_copy(update={"jobsite_var": tmp_path / "not" / "yet"})
    healthy_site.ENV = env
    usage = shutil.disk_usage(tmp_path)
    assert results()["disk"].message == f"{usage.free / usage.total:.0%} is free"


@pytest.mark.parametrize(
    ("waiting", "failed", "message"),
    [
        (999, 99, "Job queue healthy"),
        (1000, 0, "Job queue unhealthy: 1000 waiting, 0 failed"),
        (0, 100, "Job queue unhealthy: 0 waiting, 100 failed"),
    ],
)
def test_the_job_queue(healthy_site: Settings, waiting: int, failed: int, message: str) -> None:
    add_jobs("queued", waiting)
    add_jobs("failed", failed)
    found = results()["job-queue"]
    assert (found.message, found.healthy) == (message, message == "Job queue healthy")
    assert found.required
    assert failing().keys() == (set() if found.healthy else {"job-queue"})


class TestGitHub:
    @pytest.fixture(autouse=True)
    def _configured(self, healthy_site: Settings, outside: Outside) -> None:
        healthy_site.GITHUB_TOKEN = outside.token
        healthy_site.GITHUB_API_URL = outside.url

    def test_it_answers(self, outside: Outside) -> None:
        assert results()["github"].status is Status.HEALTHY
        assert outside.seen == ["GET /rate_limit"]

    def test_the_token_is_wrong(self, settings: Settings) -> None:
        settings.GITHUB_TOKEN = "wrong-SECRET"
        assert failing() == {"github": "GitHub answered 401; check GITHUB_TOKEN"}

    def test_it_is_broken(self, outside: Outside) -> None:
        outside.status = 502
        assert failing() == {"github": "GitHub answered 502"}

    def test_it_is_out_of_reach(self, settings: Settings, closed_port: int) -> None:
        settings.GITHUB_API_URL = f"http://user:SECRET@127.0.0.1:{closed_port}"
        assert failing() == {"github": "GitHub cannot be reached (ConnectError)"}

    def test_it_hangs(self, settings: Settings, outside: Outside) -> None:
        change_maintenance(settings, CHECK_TIMEOUT_SECONDS=1)
        outside.answering.clear()
        found = results()["github"]
        assert found.status is Status.UNHEALTHY
        assert found.seconds < 2


class TestSlack:
    @pytest.fixture(autouse=True)
    def _configured(self, healthy_site: Settings, outside: Outside) -> None:
        healthy_site.SLACK_TOKEN = outside.token
        healthy_site.SLACK_API_URL = f"{outside.url}/api/"

    def test_it_answers(self, outside: Outside) -> None:
        assert results()["slack"].status is Status.HEALTHY
        assert outside.seen == ["POST /api/auth.test"]

    def test_the_token_is_wrong(self, outside: Outside) -> None:
        outside.body = {"ok": False, "error": "invalid_auth"}
        assert failing() == {"slack": "Slack answered 'invalid_auth'; check SLACK_TOKEN"}

    @pytest.mark.parametrize("body", [[], "ok"])
    def test_it_answers_nonsense(self, outside: Outside, body: object) -> None:
        outside.body = body
        assert failing() == {"slack": "Slack answered 200"}

    def test_it_is_out_of_reach(self, settings: Settings, closed_port: int) -> None:
        settings.SLACK_API_URL = f"http://127.0.0.1:{closed_port}/api/"
        assert failing() == {"slack": "Slack cannot be reached (ConnectError)"}


class TestMailServer:
    def test_emails_that_become_files_need_none(self, healthy_site: Settings) -> None:
        healthy_site.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
        healthy_site.EMAIL_FILE_PATH = "/srv/var/mail"
        found = results()["smtp"]
        assert found.status is Status.SKIPPED
        assert found.message.endswith("EMAIL_URL is empty; emails are written to /srv/var/mail")

    def test_it_answers(self, healthy_site: Settings, mail_port: int) -> None:
        healthy_site.EMAIL_URL = f"smtp://user:SECRET@127.0.0.1:{mail_port}"
        assert results()["smtp"].message == f"the mail server 127.0.0.1:{mail_port} answers"

    def test_it_is_out_of_reach(self, healthy_site: Settings, closed_port: int) -> None:
        healthy_site.EMAIL_URL = f"smtp://user:SECRET@127.0.0.1:{closed_port}"
        assert failing() == {
            "smtp": f"the mail server 127.0.0.1:{closed_port} cannot be used "
            "(ConnectionRefusedError)"
        }

    def test_it_has_no_tls(self, healthy_site: Settings, mail_port: int) -> None:
        healthy_site.EMAIL_URL = f"smtp+tls://user:SECRET@127.0.0.1:{mail_port}"
        assert failing()["smtp"].endswith("(SMTPNotSupportedError)")

    @pytest.mark.parametrize("url", ["http://SECRET@host", "smtp://", "smtp://host:SECRET"])
    def test_its_address_cannot_be_read(self, healthy_site: Settings, url: str) -> None:
        healthy_site.EMAIL_URL = url
        assert failing()["smtp"].startswith("EMAIL_URL cannot be read")
