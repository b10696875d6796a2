"""Repositories of every kind are read; what cannot be read says why."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pygit2
import pytest

from jobs import PermanentError
from jobs.contrib.digests.activity import Activity, no_report
from jobs.contrib.digests.period import period_between
from jobs.contrib.digests.sources.base import SourceUnavailable
from jobs.contrib.digests.sources.git import GitSource
from tests.integration.digests.git_repository import GitRepository

PERIODS = period_between(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC))


def read(path: Path) -> Activity:
    return GitSource(path).read(*PERIODS, no_report)


@pytest.fixture
def repo(tmp_path: Path) -> GitRepository:
    made = GitRepository.create(tmp_path / "repo")
    made.write("a", 3)
    made.commit("feat: before", "2026-02-01T00:00:00Z", author="Old <old@example.com>")
    made.write("a", 5)
    made.commit("fix: inside", "2026-03-02T00:00:00Z", author="New <new@example.com>")
    return made


def test_a_bare_clone_tells_the_same_as_the_repository(repo: GitRepository, tmp_path: Path) -> None:
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    assert read(tmp_path / "bare.git").commits == read(repo.path).commits != ()


def test_a_shallow_clone_is_read_and_its_limits_are_told(
    repo: GitRepository, tmp_path: Path
) -> None:
    url = f"file://{repo.path}"
    repo.git("clone", "--quiet", "--depth=1", url, str(tmp_path / "shallow"))
    activity = read(tmp_path / "shallow")
    assert [change.title for change in activity.commits] == ["fix: inside"]
    assert activity.newcomers is None
    assert "shallow" in activity.notes[0]


def test_a_partial_clone_is_read_without_line_counts(repo: GitRepository, tmp_path: Path) -> None:
    repo.git("config", "uploadpack.allowFilter", "true")
    options = ("--quiet", "--bare", "--filter=blob:none")
    repo.git("clone", *options, f"file://{repo.path}", str(tmp_path / "partial"))
    activity = read(tmp_path / "partial")
    assert [change.additions for change in activity.commits] == [None]
    assert "partial clone" in activity.notes[0]


def test_an_empty_repository_has_no_activity(tmp_path: Path) -> None:
    activity = read(GitRepository.create(tmp_path / "empty").path)
    assert (activity.commits, activity.merges, activity.releases) == ((), 0, ())


def test_a_linked_work_tree_and_a_detached_head_are_read(
    repo: GitRepository, tmp_path: Path
) -> None:
    repo.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    assert [change.title for change in read(tmp_path / "linked").commits] == ["fix: inside"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to someone else")
def test_a_repository_of_another_user_is_read(repo: GitRepository) -> None:
    for folder, _, files in os.walk(repo.path):
        for name in (".", *files):
            os.chown(Path(folder) / name, 12345, 12345, follow_symlinks=False)
    with pytest.raises(pygit2.GitError, match="not owned"):
        pygit2.Repository(str(repo.path))
    assert len(read(repo.path).commits) == 1
    # The check is a switch of the process: it is back on.
    assert pygit2.settings.owner_validation


def test_nothing_that_the_repository_names_is_executed(repo: GitRepository, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "diff.external", "core.sshCommand",
                "diff.bad.textconv", "filter.bad.smudge", "filter.bad.clean"):  # fmt: skip
        repo.git("config", key, str(trap))
    (repo.path / ".gitattributes").write_text("* diff=bad filter=bad\n")
    hooks = repo.path / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "reference-transaction", "pre-commit"):
        (hooks / name).symlink_to(trap)
    assert len(read(repo.path).commits) == 1
    assert not (tmp_path / "sprung").exists()


def test_messages_and_names_in_other_encodings_are_read(repo: GitRepository) -> None:
    tree = repo.git("rev-parse", "HEAD^{tree}")
    raw = (
        f"tree {tree}\nparent {repo.git('rev-parse', 'HEAD')}\n".encode()
        + "author Jos\xe9 <jose@example.com> 1772700000 +0100\n".encode("latin-1")
        + b"committer X <x@example.com> 1772700000 +0100\nencoding ISO-8859-1\n\n"
        + "fix: caf\xe9\nstill the title\n\nbody".encode("latin-1")
    )
    commit = repo.git("hash-object", "-t", "commit", "-w", "--stdin", input_=raw)
    repo.git("update-ref", "HEAD", commit)
    change = next(each for each in read(repo.path).commits if "caf" in each.title)
    assert change.title == "fix: café still the title"
    assert change.author.name == "Jos\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("make", ["missing", "folder", "file", "inside"])
def test_what_is_no_repository_is_a_permanent_error_with_the_path(
    repo: GitRepository, tmp_path: Path, make: str
) -> None:
    path = tmp_path / make
    if make == "folder":
        path.mkdir()
    elif make == "file":
        path.write_text("no")
    elif make == "inside":
        path = repo.path / "sub"
        path.mkdir()
    with pytest.raises(PermanentError, match=f"{path} is not a git repository"):
        read(path)


def test_a_head_without_its_branch_is_not_taken_for_an_empty_repository(
    repo: GitRepository,
) -> None:
    repo.git("symbolic-ref", "HEAD", "refs/heads/gone")
    with pytest.raises(PermanentError, match="git symbolic-ref HEAD refs/heads/main"):
        read(repo.path)


def test_a_missing_object_asks_for_another_attempt(repo: GitRepository) -> None:
    first = repo.git("rev-parse", "HEAD~1")
    (repo.path / ".git" / "objects" / first[:2] / first[2:]).unlink()
    with pytest.raises(SourceUnavailable, match="git fsck"):
        read(repo.path)


def test_the_reading_can_be_stopped_while_it_goes_on(repo: GitRepository) -> None:
    class StopReading(Exception):
        pass

    def stop(_share: float, _message: str) -> None:
        raise StopReading

    with pytest.raises(StopReading):
        GitSource(repo.path).read(*PERIODS, stop)
