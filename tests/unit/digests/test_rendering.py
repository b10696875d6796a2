from zoneinfo import ZoneInfo

from jobs.contrib.digests.activity import Release
from jobs.contrib.digests.content import to_data
from jobs.contrib.digests.rendering import to_html, to_markdown
from tests.unit.digests.activities import BOB, BOT, START, change, summary

BERLIN = ZoneInfo("Europe/Berlin")


def test_an_empty_period_says_that_nothing_happened() -> None:
    markdown = to_markdown(summary(), title="Quiet", zone=BERLIN)
    assert "**Nothing happened in this period.**" in markdown
    assert "from Sun 01 Mar 2026 01:00 to Sun 08 Mar 2026 01:00 (Europe/Berlin)" in markdown
    assert "| commits | 0 | 0 | +0 |" in markdown
    assert "Highlights" not in markdown


def test_a_period_of_bots_says_how_much_they_did() -> None:
    markdown = to_markdown(summary(commits=(change("x", BOT),)), title="Bots", zone=BERLIN)
    assert "Nothing happened" in markdown
    assert "(bots: 1 commits)" in markdown


def test_the_digest_begins_with_what_matters() -> None:
    made = summary(
        commits=(
            change("feat!: answer", BOB, additions=60, deletions=3),
            change("fix: hole", day=3, additions=1, deletions=0),
        ),
        releases=(Release(name="v1.0", at=START, url="https://example.com/v1"),),
        newcomers=frozenset({"bob"}),
    )
    markdown = to_markdown(made, title="This week", zone=BERLIN)
    headings = [line for line in markdown.splitlines() if line.startswith("#")]
    assert headings == [
        "# This week",
        "## Highlights",
        "## Figures",
        "## What changed",
        "### feat (1)",
        "### fix (1)",
        "## Contributors",
        "## Releases",
    ]
    assert "- `0123456789` feat!: answer, by Bob (+60/-3)" in markdown
    assert "- [Released: v1.0](<https://example.com/v1>)" in markdown
    html = to_html(markdown)
    assert "<h1>This week</h1>" in html
    assert "<td>61</td>" in html
    assert 'href="https://example.com/v1" rel="noopener noreferrer nofollow"' in html


def test_long_lists_are_cut_and_the_rest_is_counted() -> None:
    made = summary(commits=tuple(change(f"fix: {n}") for n in range(30)))
    markdown = to_markdown(made, title="Long", zone=BERLIN)
    assert "### fix (30)" in markdown
    assert "- … and 5 more" in markdown


def test_stored_data_carries_the_commands_of_its_counts_for_git_only() -> None:
    data = to_data(summary(commits=(change("x"),)))
    assert data["commands"]["commits"].startswith("git rev-list --count --no-merges")
    assert set(data["commands"]) <= set(data["counts"])
    assert to_data(summary(source="github", pulls=(), pulls_before=()))["commands"] == {}
