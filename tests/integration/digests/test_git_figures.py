"""Every count of a git digest is what git's own command says it is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jobs.contrib.digests.activity import Window, no_report
from jobs.contrib.digests.figures import git_commands
from jobs.contrib.digests.period import period_between
from jobs.contrib.digests.sources.git import GitSource
from jobs.contrib.digests.summary import Summary, summarise
from tests.integration.digests.git_repository import GitRepository

START = datetime(2026, 3, 1, tzinfo=UTC)
END = datetime(2026, 3, 8, tzinfo=UTC)


def summary_of(path: Path, start: datetime = START, end: datetime = END) -> Summary:
    window, before = period_between(start, end)
    return summarise(GitSource(path).read(window, before, no_report), window, before)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> GitRepository:
    """A history with what makes counting hard: zones, clocks, merges, bots, renames, names."""
    repo = GitRepository.create(tmp_path_factory.mktemp("git") / "busy")
    repo.write("README", 10)
    repo.write("moved.txt", 40)
    repo.write("image.png", bytes(range(256)) * 8)
    repo.commit("chore: start", "2026-02-01T10:00:00Z")
    repo.commit("fix: the week before", "2026-02-25T10:00:00Z", author="Bob <bob@example.com>")
    # The edges: the first second belongs to the period, the last one after it does not.
    repo.write("edge", 1)
    repo.commit("feat: one second early", "2026-02-28T23:59:59Z")
    repo.write("edge", 3)
    repo.commit("feat: at the start", "2026-03-01T00:00:00Z")
    # By UTC inside, by the wall clock of its zone a day earlier; and the other way round.
    repo.write("west", 5)
    repo.commit("docs: far west", "2026-02-28T19:30:00-0500")
    repo.write("east", 7)
    repo.commit("docs: far east, too early", "2026-03-01T09:00:00+1345")
    # Written long before it was committed: the committer's date counts.
    repo.write("late", 6)
    repo.commit("perf: rebased", "2026-03-02T08:00:00Z", authored="2020-01-01T00:00:00Z")
    # A branch with commits of its own, a bot, and a merge.
    repo.git("switch", "--quiet", "-c", "topic")
    repo.write("topic", 20)
    repo.commit(
        "feat(api)!: new answer", "2026-03-03T08:00:00Z", author="Zoë Müller <ZOE@Example.com>"
    )
    repo.write("lock", 500)
    repo.commit(
        "chore(deps): bump", "2026-03-03T09:00:00Z",
        author="dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>",
    )  # fmt: skip
    repo.commit("chore: pin", "2026-03-03T09:30:00Z", author="Renovate Bot <bot@renovateapp.com>")
    repo.git("switch", "--quiet", "main")
    repo.write("main", 2)
    repo.commit("fix: on main", "2026-03-03T10:00:00Z", author="Renovate Smith <rs@example.com>")
    repo.merge("topic", "2026-03-04T10:00:00Z")
    # Renames, binaries, deletions, mode changes, and an odd file name.
    repo.git("mv", "moved.txt", "moved-away.txt")
    repo.write("image.png", bytes(range(255, -1, -1)) * 8)
    repo.write("dir/odd näme\t.txt", 4)
    (repo.path / "README").unlink()
    (repo.path / "main").chmod(0o755)
    (repo.path / "link").symlink_to("edge")
    repo.commit(
        "refactor: move\n\nBREAKING CHANGE: the file is gone", "2026-03-05T10:00:00Z",
        author="zoe <zoe@example.com>",
    )  # fmt: skip
    # A clock that runs behind: younger by its place, older by its date.
    repo.commit("fix: wrong clock", "2026-01-01T00:00:00Z", author="Newbie <new@example.com>")
    repo.write(".mailmap", b"Ada Lovelace <ada@example.com> <ada@old.example.com>\n")
    repo.commit("test: mapped", "2026-03-06T10:00:00Z", author="al <ada@old.example.com>")
    repo.commit("a title without a type", "2026-03-07T23:59:59Z", author="New <new2@example.com>")
    repo.commit("feat: at the end", "2026-03-08T00:00:00Z")
    # Tags: lightweight on a commit of the period, annotated later than its commit, and outside.
    repo.git("tag", "v1", "main~1")
    repo.git(
        "tag", "-a", "-m", "two", "v2", "HEAD~8", GIT_COMMITTER_DATE="2026-03-07T12:00:00+0900"
    )
    repo.git("tag", "-a", "-m", "old", "v0", "HEAD", GIT_COMMITTER_DATE="2026-02-01T00:00:00Z")
    repo.git("tag", "tree", "HEAD^{tree}")
    return repo


@pytest.mark.parametrize("count", sorted(git_commands(Window(START, END))))
def test_git_confirms_each_count(busy: GitRepository, count: str) -> None:
    command = git_commands(Window(START, END))[count]
    assert summary_of(busy.path).counts[count] == int(busy.bash(command))


@pytest.mark.parametrize("count", ["commits", "contributors", "additions", "deletions"])
def test_git_confirms_the_period_before(busy: GitRepository, count: str) -> None:
    command = git_commands(Window(START - timedelta(days=7), START))[count]
    assert summary_of(busy.path).before[count] == int(busy.bash(command))


def test_the_counts_are_those_of_the_history_that_was_made(busy: GitRepository) -> None:
    counts = summary_of(busy.path).counts
    assert counts == {
        "commits": 8,
        "commits_by_bots": 2,
        "merges": 1,
        "contributors": 4,
        "first_timers": 3,
        "additions": counts["additions"],
        "deletions": counts["deletions"],
        "breaking": 2,
        "releases": 2,
    }
    assert counts["additions"] > 30
    assert counts["deletions"] >= 10


def test_people_and_bots_together_are_all_the_commits_that_git_counts(busy: GitRepository) -> None:
    counts = summary_of(busy.path).counts
    told = busy.git(
        "rev-list", "--count", "--no-merges", "--since-as-filter=2026-03-01T00:00:00Z",
        "--until=2026-03-07T23:59:59Z", "HEAD",
    )  # fmt: skip
    assert counts["commits"] + counts["commits_by_bots"] == int(told)


def test_groups_follow_the_type_of_the_commit(busy: GitRepository) -> None:
    groups = summary_of(busy.path).groups
    assert {name: len(changes) for name, changes in groups.items()} == {
        "feat": 2,
        "fix": 1,
        "perf": 1,
        "docs": 1,
        "refactor": 1,
        "test": 1,
        "other": 1,
    }
    assert [change.title for change in groups["feat"]] == [
        "feat(api)!: new answer",
        "feat: at the start",
    ]


def test_adjoining_periods_share_no_commit_and_lose_none(busy: GitRepository) -> None:
    middle = datetime(2026, 3, 3, 8, tzinfo=UTC)
    halves = [summary_of(busy.path, START, middle), summary_of(busy.path, middle, END)]
    whole = summary_of(busy.path)
    for count in ("commits", "commits_by_bots", "merges", "additions", "deletions", "releases"):
        assert sum(half.counts[count] for half in halves) == whole.counts[count]


def test_the_mailmap_joins_two_addresses_of_one_person(busy: GitRepository) -> None:
    names = {person.name: person.changes for person in summary_of(busy.path).contributors}
    assert names["Ada Lovelace"] == 4
    assert names["zoe"] == 2


def test_a_merge_is_no_change_but_its_commits_are(busy: GitRepository) -> None:
    titles = {change.title for group in summary_of(busy.path).groups.values() for change in group}
    assert "Merge" not in titles
    assert "feat(api)!: new answer" in titles
