"""A repository on GitHub, read through its REST API."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from githubkit import GitHub, Response
from githubkit.exception import RequestFailed
from pydantic import BaseModel

from jobs.contrib.digests.activity import Activity, Change, Issue, Report, Window
from jobs.contrib.digests.sources.github_client import github_client, github_errors
from jobs.contrib.digests.sources.github_payloads import (
    CommitPayload,
    IssuePayload,
    Pull,
    ReleasePayload,
)

_Payload = TypeVar("_Payload", bound=BaseModel)

#: Requests that a digest spends on each of: sizes of pull requests, people's earlier commits.
_MOST_SIZES = 30
_MOST_PEOPLE = 100
#: Releases are listed by when they were drafted; none is published later than that after it.
_LONGEST_DRAFT = timedelta(days=365)
_CONFLICT = 409


class GitHubSource:
    """The default branch, pull requests, issues and releases of a repository on GitHub."""

    def __init__(self, owner: str, name: str) -> None:
        """Remember which repository is meant; it is read through a client of its own each time."""
        self._owner = owner
        self._name = name

    def read(self, window: Window, before: Window, report: Report) -> Activity:
        """See `Source.read`."""
        with github_errors(f"{self._owner}/{self._name}"), github_client() as client:
            return _Reader(client, self._owner, self._name, report).read(window, before)


class _Reader:
    """One reading of one repository."""

    def __init__(self, client: GitHub[Any], owner: str, name: str, report: Report) -> None:
        self._client = client
        self._owner, self._name = owner, name
        self._report = report
        self._notes: list[str] = []

    def read(self, window: Window, before: Window) -> Activity:
        self._report(0.0, "reading the repository")
        about = self._client.rest.repos.get(self._owner, self._name).json()
        self._report(0.05, "reading merged pull requests")
        merged = self._merged(since=before.start)
        pulls = [pull for pull in merged if pull.merged_at in window]
        self._report(0.3, "reading open pull requests")
        open_pulls = self._all(self._client.rest.pulls.list, Pull, state="open", sort="created")
        self._report(0.5, "reading issues")
        # With issues switched off there is nothing to count, which is not the same as none.
        opened, closed = self._issues(window) if about.get("has_issues", True) else (None, None)
        self._report(0.6, "reading releases")
        releases = tuple(each.release() for each in self._releases(window))
        self._report(0.7, "reading commits")
        commits = self._commits(Window(before.start, window.end))
        self._report(0.85, "looking for first-timers")
        newcomers = self._newcomers(pulls, [c for c in commits if _at(c) in window], window.start)
        changes = [commit.change() for commit in commits if len(commit.parents) < 2]
        return Activity(
            # As GitHub spells it: a renamed repository answers under its new name.
            repository=str(about["full_name"]),
            source="github",
            url=str(about["html_url"]),
            commits=tuple(change for change in changes if change.at in window),
            commits_before=tuple(change for change in changes if change.at in before),
            merges=sum(len(c.parents) > 1 and _at(c) in window for c in commits),
            pulls=tuple(self._with_sizes(pulls)),
            pulls_before=tuple(pull.change() for pull in merged if pull.merged_at in before),
            open_pulls=tuple(pull.open_pull() for pull in open_pulls),
            issues_opened=opened,
            issues_closed=closed,
            releases=releases,
            newcomers=newcomers,
            notes=tuple(self._notes),
        )

    def _all(
        self, request: Callable[..., Response[Any, Any]], model: type[_Payload], **query: Any
    ) -> Iterator[_Payload]:
        """Yield from all pages of a listing; a page is asked for when it is needed."""

        def entries(response: Response[Any, Any]) -> list[_Payload]:
            return [model.model_validate(entry) for entry in response.json()]

        pages = self._client.rest.paginate(
            request, entries, self._owner, self._name, per_page=100, **query
        )
        yield from pages

    def _merged(self, *, since: datetime) -> list[Pull]:
        """Return what was merged since then; merging is an update, so older ones end the search."""
        merged = []
        for pull in self._all(
            self._client.rest.pulls.list, Pull, state="closed", sort="updated", direction="desc"
        ):
            if pull.updated_at < since:
                break
            if pull.merged_at is not None and pull.merged_at >= since:
                merged.append(pull)
        return merged

    def _with_sizes(self, pulls: list[Pull]) -> Iterator[Change]:
        """Yield the changes; the newest with their line counts, which cost a request each."""
        # Without a token there are 60 requests an hour for all the worker does.
        affordable = _MOST_SIZES if settings.GITHUB_TOKEN else 0
        for change, pull in sorted(
            ((pull.change(), pull) for pull in pulls), key=lambda pair: pair[0].at, reverse=True
        ):
            if affordable == 0 or change.author.bot:
                yield change
                continue
            affordable -= 1
            answer = self._client.rest.pulls.get(self._owner, self._name, pull.number)
            yield Pull.model_validate(answer.json()).change()

    def _issues(self, window: Window) -> tuple[tuple[Issue, ...], tuple[Issue, ...]]:
        opened, closed = [], []
        for entry in self._all(
            self._client.rest.issues.list_for_repo, IssuePayload, state="all", since=window.start
        ):
            if entry.pull_request is not None:
                continue
            issue = Issue(ref=f"#{entry.number}", title=entry.title, url=entry.html_url)
            if entry.created_at in window:
                opened.append(issue)
            if entry.closed_at in window:
                closed.append(issue)
        return tuple(opened), tuple(closed)

    def _releases(self, window: Window) -> Iterator[ReleasePayload]:
        for entry in self._all(self._client.rest.repos.list_releases, ReleasePayload):
            if entry.created_at < window.start - _LONGEST_DRAFT:
                break
            if entry.published_at in window:
                yield entry

    def _commits(self, window: Window, **query: Any) -> list[CommitPayload]:
        last = window.end - timedelta(seconds=1)
        try:
            return list(
                self._all(
                    self._client.rest.repos.list_commits,
                    CommitPayload,
                    since=window.start,
                    until=last,
                    **query,
                )
            )
        except RequestFailed as error:
            if error.response.status_code == _CONFLICT:  # "Git Repository is empty."
                return []
            raise

    def _newcomers(
        self, pulls: list[Pull], commits: list[CommitPayload], start: datetime
    ) -> frozenset[str]:
        """Return who has no commit on the default branch from before the period."""
        logins = {pull.user.login for pull in pulls if pull.user}
        logins |= {commit.login for commit in commits if commit.login}
        bots = {each.author.name for each in _changes(pulls, commits) if each.author.bot}
        people = sorted(logins - bots)
        if len(people) > _MOST_PEOPLE:
            self._notes.append(
                f"First-timers were looked for among {_MOST_PEOPLE} of {len(people)} people."
            )
        return frozenset(
            login.lower()
            for login in people[:_MOST_PEOPLE]
            if not self._has_commit_before(login, start)
        )

    def _has_commit_before(self, login: str, start: datetime) -> bool:
        answer = self._client.rest.repos.list_commits(
            self._owner, self._name, author=login, until=start - timedelta(seconds=1), per_page=1
        )
        return bool(answer.json())


def _at(commit: CommitPayload) -> datetime:
    return commit.commit.committer.date


def _changes(pulls: list[Pull], commits: list[CommitPayload]) -> Iterator[Change]:
    yield from (pull.change() for pull in pulls)
    yield from (commit.change() for commit in commits)
