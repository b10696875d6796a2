"""The parts of GitHub's answers that a digest needs, checked; the rest is not looked at."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from jobs.contrib.digests.activity import Change, OpenPull, Person, Release
from jobs.contrib.digests.bots import is_bot

_GHOST = "ghost"


class User(BaseModel):
    """An account; of a deleted one GitHub sends null."""

    login: str
    type: str = "User"

    def person(self) -> Person:
        """Return the account as a person."""
        bot = self.type == "Bot" or is_bot(self.login)
        return Person(key=self.login.lower(), name=self.login, bot=bot)


def _person_of(user: User | None) -> Person:
    return user.person() if user else Person(key=_GHOST, name=_GHOST)


class Label(BaseModel):
    """A label of a pull request."""

    name: str


class Pull(BaseModel):
    """`GET /repos/{owner}/{repo}/pulls`; the line counts come with a single one only."""

    number: int
    title: str
    html_url: str
    created_at: datetime
    updated_at: datetime
    body: str | None = None
    draft: bool = False
    merged_at: datetime | None = None
    user: User | None = None
    labels: list[Label] = Field(default_factory=list)
    additions: int | None = None
    deletions: int | None = None

    def change(self) -> Change:
        """Return a merged pull request as a change."""
        return Change(
            ref=f"#{self.number}",
            title=self.title,
            body=self.body or "",
            author=_person_of(self.user),
            at=self.merged_at or self.updated_at,
            url=self.html_url,
            labels=tuple(label.name for label in self.labels),
            additions=self.additions,
            deletions=self.deletions,
        )

    def open_pull(self) -> OpenPull:
        """Return one that waits to be merged."""
        return OpenPull(
            ref=f"#{self.number}",
            title=self.title,
            author=_person_of(self.user),
            opened_at=self.created_at,
            url=self.html_url,
            draft=self.draft,
        )


class IssuePayload(BaseModel):
    """`GET /repos/{owner}/{repo}/issues`, where pull requests are issues too."""

    number: int
    title: str
    html_url: str
    created_at: datetime
    closed_at: datetime | None = None
    pull_request: dict[str, Any] | None = None


class ReleasePayload(BaseModel):
    """`GET /repos/{owner}/{repo}/releases`; a draft is not published."""

    tag_name: str
    html_url: str
    created_at: datetime
    name: str | None = None
    prerelease: bool = False
    published_at: datetime | None = None

    def release(self) -> Release:
        """Return it as a release."""
        return Release(
            name=self.name or self.tag_name,
            at=self.published_at or self.created_at,
            url=self.html_url,
            prerelease=self.prerelease,
        )


class _Signature(BaseModel):
    name: str = ""
    email: str = ""
    date: datetime


class _CommitData(BaseModel):
    message: str
    author: _Signature
    committer: _Signature


class CommitPayload(BaseModel):
    """`GET /repos/{owner}/{repo}/commits`; `author` is the account, if GitHub knows one."""

    sha: str
    html_url: str
    commit: _CommitData
    author: User | dict[str, Any] | None = None
    parents: list[dict[str, Any]] = Field(default_factory=list)

    @property
    def login(self) -> str | None:
        """The author's account, if GitHub knows one."""
        return self.author.login if isinstance(self.author, User) else None

    def change(self) -> Change:
        """Return the commit as a change."""
        signature = self.commit.author
        title, _, body = self.commit.message.partition("\n\n")
        return Change(
            ref=self.sha[:10],
            title=" ".join(title.split("\n")),
            body=body,
            author=self.author.person()
            if isinstance(self.author, User)
            else Person(
                key=signature.email.lower(),
                name=signature.name,
                bot=is_bot(signature.name, signature.email),
            ),
            at=self.commit.committer.date,
            url=self.html_url,
        )
