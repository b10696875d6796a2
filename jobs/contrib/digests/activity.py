"""What a source found out about a repository, as plain data."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

SourceName = Literal["git", "github"]

#: Called with how much of the reading is done, 0 to 1, and what is being read. May raise to stop.
Report = Callable[[float, str], None]


def no_report(_share: float, _message: str) -> None:
    """Tell no one."""


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open interval of time: `start` belongs to it, `end` does not. Both are aware."""

    start: datetime
    end: datetime

    def __contains__(self, moment: datetime | None) -> bool:
        return moment is not None and self.start <= moment < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone who contributed.

    Attributes:
        key: tells people apart: the e-mail in lower case (git), the login (GitHub).
        name: to be shown; written by the person, so never trusted as markup.
        bot: whether it is a program.
    """

    key: str
    name: str
    bot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A commit that is no merge, or a merged pull request.

    Attributes:
        ref: the short commit id, or `#12`.
        body: the text below the title, searched for breaking changes.
        at: when it was committed (the committer's date) or merged.
        additions: lines added, None where the source does not tell.
        deletions: lines removed, None where the source does not tell.
    """

    ref: str
    title: str
    author: Person
    at: datetime
    body: str = ""
    url: str = ""
    labels: tuple[str, ...] = ()
    additions: int | None = None
    deletions: int | None = None

    @property
    def size(self) -> int:
        """Lines added and removed; 0 where the source does not tell."""
        return (self.additions or 0) + (self.deletions or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release or a tag, and when it was made."""

    name: str
    at: datetime
    url: str = ""
    prerelease: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPull:
    """A pull request that waits to be merged."""

    ref: str
    title: str
    author: Person
    opened_at: datetime
    url: str = ""
    draft: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """An issue that was opened or closed in the period."""

    ref: str
    title: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """All that a source tells about a repository, in a period and in the one before it.

    What a source cannot tell is None, which is not the same as nothing.

    Attributes:
        repository: its canonical name: `owner/name`, or the absolute path.
        commits: of the default branch, merges left out, bots included.
        commits_before: the same in the period before.
        merges: merge commits in the period.
        pulls: merged in the period.
        pulls_before: merged in the period before.
        newcomers: keys of the people whose first commit falls in the period.
        notes: what the reader must know to judge the figures.
    """

    repository: str
    source: SourceName
    url: str = ""
    commits: tuple[Change, ...] = ()
    commits_before: tuple[Change, ...] = ()
    merges: int = 0
    pulls: tuple[Change, ...] | None = None
    pulls_before: tuple[Change, ...] | None = None
    open_pulls: tuple[OpenPull, ...] | None = None
    issues_opened: tuple[Issue, ...] | None = None
    issues_closed: tuple[Issue, ...] | None = None
    releases: tuple[Release, ...] = ()
    newcomers: frozenset[str] | None = frozenset()
    notes: tuple[str, ...] = ()
