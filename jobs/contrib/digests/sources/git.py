"""A local git repository, read object by object with libgit2: nothing of it is ever executed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pygit2
from pygit2.enums import DiffFind, ObjectType, SortMode

from jobs.contrib.digests.activity import Activity, Change, Person, Release, Report, Window
from jobs.contrib.digests.bots import is_bot
from jobs.contrib.digests.sources.base import SourceUnavailable
from jobs.contrib.digests.sources.git_open import open_repository

_REPORT_EVERY = 500
_SHALLOW = (
    "The repository is a shallow clone: its history is cut, so first-timers cannot be told and "
    "counts may fall short."
)
_PARTIAL = "Line counts are left out: the repository is a partial clone without its file contents."


@dataclass(slots=True)
class _History:
    """What one walk over the default branch finds."""

    commits: list[pygit2.Commit] = field(default_factory=list)
    commits_before: list[pygit2.Commit] = field(default_factory=list)
    merges: int = 0
    #: The authors of everything older than the period.
    earlier_authors: set[str] = field(default_factory=set)


class GitSource:
    """A repository on this machine: its default branch (HEAD) and its tags."""

    def __init__(self, path: Path) -> None:
        """Remember where the repository is; it is opened when it is read."""
        self._path = path

    def read(self, window: Window, before: Window, report: Report) -> Activity:
        """See `Source.read`."""
        with open_repository(self._path) as repository:
            try:
                return self._read(repository, window, before, report)
            except (pygit2.GitError, KeyError) as error:
                # An object that is not there: the repository is being repacked, or it is broken.
                raise SourceUnavailable(
                    f"the repository {self._path} could not be read through ({error}); if that "
                    "stays so, run `git fsck` in it"
                ) from error

    def _read(
        self, repository: pygit2.Repository, window: Window, before: Window, report: Report
    ) -> Activity:
        mailmap = pygit2.Mailmap.from_repository(repository)
        history = _walk(repository, mailmap, window, before, report)
        changes = _Changes(repository, mailmap, len(history.commits) + len(history.commits_before))
        commits = changes.of(history.commits, report)
        commits_before = changes.of(history.commits_before, report)
        shallow = repository.is_shallow
        notes = [*([_SHALLOW] if shallow else []), *([_PARTIAL] if changes.partial else [])]
        newcomers = {commit.author.key for commit in commits} - history.earlier_authors
        return Activity(
            repository=str(self._path),
            source="git",
            commits=commits,
            commits_before=commits_before,
            merges=history.merges,
            releases=tuple(_releases(repository, window)),
            newcomers=None if shallow else frozenset(newcomers),
            notes=tuple(notes),
        )


def _walk(
    repository: pygit2.Repository,
    mailmap: pygit2.Mailmap,
    window: Window,
    before: Window,
    report: Report,
) -> _History:
    """Visit every commit: dates need not fall along the history, so none may be skipped."""
    found = _History()
    if repository.head_is_unborn:
        return found
    start, end = window.start.timestamp(), window.end.timestamp()
    before_start, before_end = before.start.timestamp(), before.end.timestamp()
    for seen, commit in enumerate(repository.walk(repository.head.target, SortMode.NONE)):
        if seen % _REPORT_EVERY == 0:
            report(min(0.4, seen / 200_000), f"reading history: {seen} commits")
        moment, merge = commit.commit_time, len(commit.parent_ids) > 1
        if moment < start and not merge:
            found.earlier_authors.add(_person(commit.author, mailmap).key)
        if start <= moment < end:
            found.merges += merge
            if not merge:
                found.commits.append(commit)
        elif before_start <= moment < before_end and not merge:
            found.commits_before.append(commit)
    return found


class _Changes:
    """Turns commits into changes, with their line counts."""

    def __init__(self, repository: pygit2.Repository, mailmap: pygit2.Mailmap, total: int) -> None:
        self._repository = repository
        self._mailmap = mailmap
        self._total = total
        self._done = 0
        #: Whether file contents were missing, so that lines could not be counted.
        self.partial = False

    def of(self, commits: list[pygit2.Commit], report: Report) -> tuple[Change, ...]:
        """Return the changes, in the order of the commits."""
        changes = []
        for commit in commits:
            if self._done % _REPORT_EVERY == 0:
                report(0.4 + 0.6 * self._done / self._total, "counting lines")
            self._done += 1
            changes.append(self._change(commit))
        return tuple(changes)

    def _change(self, commit: pygit2.Commit) -> Change:
        title, body = _message(commit)
        author = _person(commit.author, self._mailmap)
        additions, deletions = (None, None) if author.bot else self._lines(commit)
        return Change(
            ref=str(commit.id)[:10],
            title=title,
            body=body,
            author=author,
            at=_moment(commit.commit_time, commit.commit_time_offset),
            additions=additions,
            deletions=deletions,
        )

    def _lines(self, commit: pygit2.Commit) -> tuple[int, int] | tuple[None, None]:
        """Return lines added and removed, as `git log --numstat -M100%` counts them."""
        try:
            if commit.parent_ids:
                parent = self._repository[commit.parent_ids[0]].peel(pygit2.Commit)
                diff = self._repository.diff(parent, commit)
            else:
                diff = commit.tree.diff_to_tree(swap=True)
            diff.find_similar(flags=DiffFind.FIND_RENAMES | DiffFind.FIND_EXACT_MATCH_ONLY)
            return diff.stats.insertions, diff.stats.deletions
        except (pygit2.GitError, KeyError):
            if not _is_partial(self._repository):
                raise
            self.partial = True
            return None, None


def _is_partial(repository: pygit2.Repository) -> bool:
    return any(
        name.startswith("remote.") and name.endswith((".promisor", ".partialclonefilter"))
        for name in (entry.name for entry in repository.config)
    )


def _message(commit: pygit2.Commit) -> tuple[str, str]:
    """Return the subject as git builds it (the first paragraph on one line), and the rest."""
    try:
        text = commit.raw_message.decode(commit.message_encoding or "utf-8", errors="replace")
    except LookupError:
        text = commit.raw_message.decode("utf-8", errors="replace")
    subject, _, body = text.replace("\r\n", "\n").lstrip("\n").partition("\n\n")
    return " ".join(subject.split("\n")).strip(), body


def _person(signature: pygit2.Signature, mailmap: pygit2.Mailmap) -> Person:
    resolved = mailmap.resolve_signature(signature)
    name = resolved.raw_name.decode("utf-8", errors="replace")
    email = resolved.raw_email.lower().decode("utf-8", errors="replace")
    return Person(key=email, name=name, bot=is_bot(name, email))


def _releases(repository: pygit2.Repository, window: Window) -> Iterator[Release]:
    """Yield the tags made in the period: by the tagger's date, or the tagged commit's."""
    for name in repository.references:
        if not name.startswith("refs/tags/"):
            continue
        tagged = repository[repository.references[name].resolve().target]
        if isinstance(tagged, pygit2.Tag) and tagged.tagger is not None:
            made = _moment(tagged.tagger.time, tagged.tagger.offset)
        elif tagged.type == ObjectType.COMMIT:
            commit = tagged.peel(pygit2.Commit)
            made = _moment(commit.commit_time, commit.commit_time_offset)
        else:
            continue
        if made in window:
            yield Release(name=name.removeprefix("refs/tags/"), at=made)


def _moment(seconds: int, offset_minutes: int) -> datetime:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    # Git stores whatever offset a client claims; Python knows none of a day or more.
    if abs(offset_minutes) >= 24 * 60:
        return moment
    return moment.astimezone(timezone(timedelta(minutes=offset_minutes)))
