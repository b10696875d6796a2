from zoneinfo import ZoneInfo

from jobs.contrib.digests.activity import Issue, Release
from jobs.contrib.digests.rendering import to_html, to_markdown
from jobs.contrib.digests.shortening import shorter_versions
from tests.unit.digests.activities import START, change, summary

URL = "https://jobs.example.com/admin/digests/digest/1/change/"


def busy() -> str:
    """Return a digest of 40 labels with up to 40 changes each, a release and 30 issues."""
    changes = tuple(
        change(f"Change {label}.{number} ", labels=(f"label {label:02}",), ref=f"#{number}")
        for label in range(40)
        for number in range(40 - label)
    )
    made = summary(
        source="github",
        pulls=changes,
        releases=(Release(name="v1.0", at=START, url="https://example.com/v1"),),
        issues_opened=tuple(Issue(ref=f"#{n}", title="Broken", url="") for n in range(30)),
        issues_closed=(),
    )
    return to_markdown(made, title="Busy", zone=ZoneInfo("UTC"))


def headings(markdown: str, level: int) -> list[str]:
    return [line for line in markdown.splitlines() if line.startswith("#" * level + " ")]


def test_each_version_is_shorter_and_the_last_is_empty() -> None:
    whole = busy()
    versions = list(shorter_versions(whole, url=URL))
    sizes = [len(whole), *map(len, versions)]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == len(sizes)
    assert versions[-1] == ""


def test_the_head_says_so_and_links_to_the_whole_digest() -> None:
    shortest = list(shorter_versions(busy(), url=URL))[-2]
    head = shortest.partition("## ")[0]
    assert f"**Shortened: read [the whole digest](<{URL}>).**" in head
    assert f'<a href="{URL}"' in to_html(shortest)


def test_every_section_stays_and_what_is_left_out_is_counted() -> None:
    whole = busy()
    shortest = list(shorter_versions(whole, url=URL))[-2]
    assert headings(shortest, 1) == headings(whole, 1)
    assert headings(shortest, 2) == headings(whole, 2)
    assert headings(shortest, 3) == ["### label 00 (40)", "### label 01 (39)"]
    lines = shortest.splitlines()
    at = lines.index("### label 00 (40)")
    assert [line[:8] for line in lines[at + 2 : at + 5]] == ["- `#0` C", "- `#1` C", "- … and "]
    assert lines[at + 4] == "- … and 38 more"
    assert "… and 38 more groups" in lines
    at = lines.index("## Issues opened")
    assert lines[at + 4] == "- … and 28 more"


def test_the_highlights_stay_whole() -> None:
    made = summary(
        commits=tuple(change(f"feat!: {n}") for n in range(9)),
        releases=tuple(Release(name=f"v{n}", at=START, url="") for n in range(9)),
    )
    whole = to_markdown(made, title="Loud", zone=ZoneInfo("UTC"))
    shortest = list(shorter_versions(whole, url=URL))[-2]
    kept = whole.partition("## Highlights\n")[2].partition("## Figures")[0]
    assert kept.count("\n- ") > 10
    assert kept in shortest
