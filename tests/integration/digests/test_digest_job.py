"""The job: from the parameters to the stored digest and its notifications."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from jobs import JobContext, PermanentError
from jobs.contrib.digests.activity import Window
from jobs.contrib.digests.figures import git_commands
from jobs.contrib.digests.jobs import generate_digest
from jobs.contrib.digests.models import Digest, DigestSubscription
from jobs.contrib.digests.params import DigestParams
from jobs.models import Job
from tests.integration.digests.git_repository import GitRepository
from tests.integration.digests.submissions import Submissions
from tests.servers.github import GitHubServer

pytestmark = pytest.mark.django_db

PERIOD = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-08T00:00:00Z"}


@pytest.fixture
def repo(tmp_path: Path) -> GitRepository:
    made = GitRepository.create(tmp_path / "project")
    made.write("a", 3)
    made.commit("feat: before", "2026-02-25T00:00:00Z")
    made.write("a", 5)
    made.commit("fix!: inside <script>", "2026-03-02T00:00:00Z", author="New <new@example.com>")
    return made


def job_row() -> Job:
    now = timezone.now()
    return Job.objects.create(
        job_type="digests.generate", queue="normal", state="queued", max_attempts=5,
        timeout=timedelta(minutes=10), created_at=now, run_at=now,
    )  # fmt: skip


def context(job: Job | None = None) -> tuple[JobContext, Submissions]:
    recorder = Submissions()
    made = JobContext("digests.generate", recorder=recorder)
    if job is not None:
        made.job_id = job.id
    return made, recorder


def run(ctx: JobContext, **params: Any) -> dict[str, Any]:
    # As the engine calls it: parsed from JSON, and the result must be JSON again.
    parsed = generate_digest.parse({**PERIOD, **params})
    result = generate_digest(parsed, ctx)
    assert json.loads(json.dumps(result)) == result
    return dict(result)


def test_a_digest_of_a_local_repository_is_stored_and_linked(repo: GitRepository) -> None:
    job = job_row()
    ctx, recorder = context(job)
    result = run(ctx, repository=str(repo.path))
    digest = Digest.objects.get()
    assert result == {"digest_id": digest.pk, "counts": digest.data["counts"], "notified": 0}
    job.refresh_from_db()
    assert job.digest == digest
    assert (digest.repository, digest.source) == (str(repo.path), "git")
    assert digest.end - digest.start == timedelta(days=7)
    assert digest.data["counts"]["commits"] == 1
    assert digest.data["deltas"]["commits"] == 0
    assert "fix!: inside \\<script\\>" in digest.markdown
    assert "<script>" not in digest.html
    assert digest.title == f"{repo.path.name}: 01 Mar 2026 to 08 Mar 2026"
    assert recorder.percents == sorted(recorder.percents)
    assert recorder.percents[-1] == 100
    assert {"counting lines", "summarising", "telling subscribers"} <= set(recorder.messages)


def test_the_stored_commands_confirm_the_stored_counts(repo: GitRepository) -> None:
    ctx, _ = context()
    counts = run(ctx, repository=str(repo.path))["counts"]
    commands = Digest.objects.get().data["commands"]
    window = Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC))
    assert set(commands) == set(git_commands(window))
    for name, command in commands.items():
        assert int(repo.bash(command)) == counts[name], name


def test_a_digest_from_github_is_stored_and_its_subscribers_are_told(
    github: GitHubServer, settings: Settings
) -> None:
    settings.SITE_URL = "https://jobs.example.com"
    told = DigestSubscription.objects.create(repository="Octo/Engine", recipient="a@example.com")
    DigestSubscription.objects.create(
        repository="octo/engine", channel="slack", recipient="#engine"
    )
    DigestSubscription.objects.create(
        repository="octo/engine", recipient="off@example.com", enabled=False
    )
    DigestSubscription.objects.create(repository="octo/other", recipient="b@example.com")
    ctx, recorder = context(job_row())
    result = run(ctx, repository="github:octo/engine")
    digest = Digest.objects.get(pk=result["digest_id"])
    assert result["counts"]["merged_pulls"] == 4
    assert (result["notified"], digest.source) == (2, "github")
    assert {job_type for job_type, _ in recorder.sent.values()} == {"notifications.send"}
    sent = recorder.sent[str(ctx.stable_id(f"notify:{told.pk}"))][1]
    assert {key: sent[key] for key in ("template", "channel", "to")} == {
        "template": "digest",
        "channel": "email",
        "to": "a@example.com",
    }
    assert sent["data"] == {
        "repository": "octo/engine",
        "period": {"start": "2026-03-01T00:00:00+00:00", "end": "2026-03-08T00:00:00+00:00"},
        "title": "octo/engine: 01 Mar 2026 to 08 Mar 2026",
        "highlights": [each["text"] for each in digest.data["highlights"]],
        "counts": digest.data["counts"],
        "markdown": digest.markdown,
        "html": digest.html,
        "url": f"https://jobs.example.com/admin/digests/digest/{digest.pk}/change/",
    }
    assert sent["data"]["highlights"][0] == "Breaking: New engine (#21)"
    assert [params["to"] for params in recorder.params] == ["a@example.com", "#engine"]


def test_a_retried_job_stores_nothing_twice_and_tells_no_one_twice(repo: GitRepository) -> None:
    DigestSubscription.objects.create(repository=str(repo.path), recipient="a@example.com")
    ctx, recorder = context(job_row())
    first = run(ctx, repository=str(repo.path))
    # What happened meanwhile must not change what the first notification said.
    repo.commit("feat: later", "2026-03-03T00:00:00Z")
    again = JobContext("digests.generate", job_id=ctx.job_id, attempt=2, recorder=recorder)
    assert run(again, repository=str(repo.path)) == first
    assert Digest.objects.count() == 1
    assert len(recorder.sent) == 1


def test_two_spellings_of_one_subscription_are_one_notification(repo: GitRepository) -> None:
    url = f"file://{repo.path}"
    for name in (url, str(repo.path)):
        DigestSubscription.objects.create(repository=name, recipient="a@example.com")
    ctx, _ = context()
    assert run(ctx, repository=url)["notified"] == 1


def test_no_one_is_told_when_the_job_says_so(repo: GitRepository) -> None:
    DigestSubscription.objects.create(repository=str(repo.path), recipient="a@example.com")
    ctx, recorder = context()
    assert run(ctx, repository=str(repo.path), notify=False)["notified"] == 0
    assert recorder.sent == {}


def test_an_empty_period_is_a_digest_that_says_so(repo: GitRepository) -> None:
    ctx, _ = context()
    run(ctx, repository=str(repo.path), start="2020-01-01T00:00:00Z", end="2020-01-02T00:00:00Z")
    digest = Digest.objects.get()
    assert digest.data["nothing_happened"] is True
    assert "Nothing happened in this period." in digest.markdown


def test_without_a_period_it_is_the_week_until_now(repo: GitRepository) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    ctx, _ = context()
    generate_digest(DigestParams(repository=str(repo.path)), ctx)
    digest = Digest.objects.get()
    assert before <= digest.end <= datetime.now(UTC)
    assert digest.end - digest.start == timedelta(days=7)


def test_the_title_and_the_time_zone_are_as_asked_for(repo: GitRepository) -> None:
    ctx, _ = context()
    run(ctx, repository=str(repo.path), title="Our\r\nweek", timezone="Asia/Tokyo")
    digest = Digest.objects.get()
    assert digest.title == "Our week"
    assert "01 Mar 2026 09:00" in digest.markdown


@pytest.mark.parametrize("period", [{"start": "2999-01-01T00:00:00Z", "end": None}])
def test_a_start_ahead_without_an_end_is_permanent(repo: GitRepository, period: Any) -> None:
    ctx, _ = context()
    with pytest.raises(PermanentError, match="2999-01-01"):
        run(ctx, repository=str(repo.path), **period)


def test_what_is_no_repository_fails_at_once_and_stores_nothing(tmp_path: Path) -> None:
    ctx, _ = context()
    with pytest.raises(PermanentError, match=str(tmp_path)):
        run(ctx, repository=str(tmp_path))
    assert not Digest.objects.exists()


def test_a_digest_outlives_its_job(repo: GitRepository) -> None:
    job = job_row()
    ctx, _ = context(job)
    run(ctx, repository=str(repo.path))
    job.delete()
    assert Digest.objects.get().job is None
