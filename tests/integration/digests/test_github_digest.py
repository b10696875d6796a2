"""A digest from GitHub's API, against a server that answers as GitHub does."""

from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from jobs.contrib.digests.activity import no_report
from jobs.contrib.digests.period import period_between
from jobs.contrib.digests.sources.github import GitHubSource
from jobs.contrib.digests.summary import UNLABELLED, Summary, summarise
from tests.servers.github import GitHubServer
from tests.servers.github_recording import COUNTS, REPOSITORY

WINDOW, BEFORE = period_between(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC))


def make() -> Summary:
    activity = GitHubSource("octo", "engine").read(WINDOW, BEFORE, no_report)
    return summarise(activity, WINDOW, BEFORE)


def test_the_counts_are_those_of_the_recording(github: GitHubServer) -> None:
    assert make().counts == COUNTS


def test_the_content_is_grouped_compared_and_highlighted(github: GitHubServer) -> None:
    made = make()
    groups = {name: [change.ref for change in group] for name, group in made.groups.items()}
    assert groups == {"bug": ["#22", "#20"], "enhancement": ["#21"], UNLABELLED: ["#23"]}
    assert made.deltas == {"commits": 3, "contributors": 2, "merged_pulls": 3}
    assert [each.text for each in made.highlights] == [
        "Breaking: New engine (#21)",
        "Released: Version two",
        "Big change: New engine (#21, +800/-90 lines)",
        "Big change: First steps (#23, +60/-0 lines)",
        "First contribution: newcomer",
    ]
    assert {name: [each.ref for each in group] for name, group in made.open_pulls.items()} == {
        "older than three months": ["#30"],
        "up to a week": ["#31"],
    }
    assert made.open_pulls["up to a week"][0].author.name == "ghost"


@pytest.mark.parametrize("page_size", [1, 2, 3])
def test_every_page_is_read(github: GitHubServer, page_size: int) -> None:
    whole = make()
    github.page_size = page_size
    assert make() == whole


def test_no_page_is_read_past_the_period(github: GitHubServer) -> None:
    github.page_size = 1
    make()
    closed = [
        each for each in github.requests
        if each.path == f"{REPOSITORY}/pulls" and each.query["state"] == "closed"
    ]  # fmt: skip
    # Seven closed ones were updated in the two weeks or later, one more tells that it is enough.
    assert len(closed) == 9


def test_the_second_digest_of_the_same_period_costs_nothing(github: GitHubServer) -> None:
    first = make()
    assert {each.status for each in github.requests} == {200}
    asked = len(github.requests)
    assert make() == first
    again = github.requests[asked:]
    assert [each.path for each in again] == [each.path for each in github.requests[:asked]]
    assert {each.status for each in again} == {304}


def test_what_changed_since_is_seen_at_once(github: GitHubServer) -> None:
    make()
    github.answers[f"{REPOSITORY}/issues"] = []
    assert make().counts["issues_opened"] == 0


def test_the_token_is_sent_and_pull_requests_are_sized(github: GitHubServer) -> None:
    make()
    assert {each.headers["authorization"] for each in github.requests} == {"token canary-token"}
    sized = [each.path for each in github.requests if "/pulls/" in each.path]
    assert sized == [f"{REPOSITORY}/pulls/{number}" for number in (23, 22, 21, 20)]


def test_without_a_token_few_requests_are_made(github: GitHubServer, settings: Settings) -> None:
    settings.GITHUB_TOKEN = ""
    made = make()
    assert not any("authorization" in each.headers for each in github.requests)
    assert not any("/pulls/" in each.path for each in github.requests)
    assert len(github.requests) < 12
    assert "big" not in {each.kind for each in made.highlights}


def test_an_empty_repository_is_a_valid_digest(github: GitHubServer) -> None:
    for name in ("pulls", "issues", "releases"):
        github.answers[f"{REPOSITORY}/{name}"] = []

    def refuse(request: object) -> tuple[int, dict[str, str], dict[str, str]] | None:
        empty = getattr(request, "path", "") == f"{REPOSITORY}/commits"
        return (409, {}, {"message": "Git Repository is empty."}) if empty else None

    github.refuse = refuse
    assert make().nothing_happened


def test_issues_that_are_switched_off_are_not_counted(github: GitHubServer) -> None:
    github.answers[REPOSITORY]["has_issues"] = False
    assert "issues_opened" not in make().counts


def test_a_renamed_repository_goes_by_its_new_name(github: GitHubServer) -> None:
    github.answers[REPOSITORY]["full_name"] = "octo/motor"
    assert make().repository == "octo/motor"


def test_the_proxy_of_the_environment_is_used(
    github: GitHubServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", github.url)
    settings.GITHUB_API_URL = "http://api.github.test"
    assert make().counts["merged_pulls"] == 4
    assert {each.headers["host"] for each in github.requests} == {"api.github.test"}
