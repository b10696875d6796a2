from datetime import UTC, datetime, timedelta

from jobs.contrib.digests.activity import Issue, OpenPull, Release
from jobs.contrib.digests.summary import UNLABELLED
from tests.unit.digests.activities import ADA, BOB, BOT, END, change, summary


def test_bots_are_left_out_and_counted() -> None:
    made = summary(
        commits=(change("fix: a"), change("chore: bump", BOT), change("feat: b", BOB)),
        newcomers=frozenset({"bob", BOT.key}),
    )
    assert (made.counts["commits"], made.counts["commits_by_bots"]) == (2, 1)
    assert made.counts["contributors"] == 2
    assert [(each.name, each.first_time) for each in made.contributors] == [
        ("Ada", False),
        ("Bob", True),
    ]
    assert list(made.groups) == ["feat", "fix"]


def test_highlights_come_in_the_order_of_their_weight() -> None:
    made = summary(
        commits=(
            change("feat: big", additions=400, deletions=100),
            change("fix: tiny", additions=1, deletions=1),
            change("feat!: incompatible", BOB, additions=1, deletions=0),
            change("chore: bump", BOT, additions=9999, deletions=0),
        ),
        releases=(Release(name="v2", at=datetime(2026, 3, 3, tzinfo=UTC)),),
        newcomers=frozenset({"bob"}),
    )
    assert [(each.kind, each.text) for each in made.highlights] == [
        ("breaking", "Breaking: feat!: incompatible (0123456789)"),
        ("release", "Released: v2"),
        ("big", "Big change: feat: big (0123456789, +400/-100 lines)"),
        ("first_timers", "First contribution: Bob"),
    ]


def test_many_of_a_kind_are_cut_and_the_rest_is_counted() -> None:
    made = summary(commits=tuple(change(f"feat!: {n}") for n in range(8)))
    assert made.highlights[5].text == "… and 3 more breaking changes"
    assert len(made.highlights) == 6


def test_the_period_before_is_compared() -> None:
    made = summary(
        commits=(change("a", additions=5, deletions=1), change("b", BOB, additions=1, deletions=0)),
        commits_before=(change("c", additions=2, deletions=9), change("d", BOT)),
    )
    assert made.before == {"commits": 1, "contributors": 1, "additions": 2, "deletions": 9}
    assert made.deltas == {"commits": 1, "contributors": 1, "additions": 4, "deletions": -8}


def test_lines_that_are_not_known_are_no_figure() -> None:
    made = summary(commits=(change("a"),), commits_before=(change("b", additions=1, deletions=1),))
    assert "additions" not in made.counts
    assert "additions" not in made.deltas


def test_pull_requests_are_grouped_by_their_first_label() -> None:
    made = summary(
        source="github",
        commits=(),
        pulls=(
            change("one", labels=("bug", "ui")),
            change("two", labels=("bug",)),
            change("three", labels=("docs",)),
            change("four"),
        ),
        pulls_before=(),
    )
    assert {name: len(group) for name, group in made.groups.items()} == {
        "bug": 2,
        "docs": 1,
        UNLABELLED: 1,
    }
    assert list(made.groups)[-1] == UNLABELLED
    assert made.deltas["merged_pulls"] == 4


def test_a_label_can_say_that_a_change_breaks_something() -> None:
    made = summary(pulls=(change("x", labels=("Breaking-Change",)),), pulls_before=())
    assert made.counts["breaking"] == 1


def test_open_pull_requests_are_sorted_by_age() -> None:
    def pull(ref: str, days: int, author: object = ADA) -> OpenPull:
        opened = END - timedelta(days=days)
        return OpenPull(ref=ref, title=ref, author=author, opened_at=opened)  # type: ignore[arg-type]

    made = summary(
        pulls=(),
        pulls_before=(),
        open_pulls=(pull("#1", 3), pull("#2", 200), pull("#3", 20), pull("#4", 9, BOT)),
    )
    assert {name: [each.ref for each in group] for name, group in made.open_pulls.items()} == {
        "older than three months": ["#2"],
        "up to four weeks": ["#3"],
        "up to a week": ["#1"],
    }
    assert (made.counts["open_pulls"], made.counts["open_pulls_by_bots"]) == (3, 1)


def test_nothing_happened_when_only_bots_were_at_work() -> None:
    assert summary(commits=(change("chore: bump", BOT),)).nothing_happened
    assert summary().nothing_happened
    assert not summary(commits=(change("fix: a"),)).nothing_happened
    issue = Issue(ref="#1", title="x")
    assert not summary(issues_opened=(issue,), issues_closed=()).nothing_happened


def test_unknown_first_timers_are_no_figure() -> None:
    made = summary(commits=(change("a"),), newcomers=None)
    assert "first_timers" not in made.counts
    assert not made.contributors[0].first_time
