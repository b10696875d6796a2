"""A digest as Markdown, and that Markdown as HTML that is safe to show anywhere."""

from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

import nh3
from markdown_it import MarkdownIt

from jobs.contrib.digests.activity import Change, Issue, OpenPull
from jobs.contrib.digests.summary import Summary
from jobs.contrib.digests.text import escape_markdown as plain

HIGHLIGHTS = "Highlights"
_MOST_LISTED = 25
_TAGS = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "li", "ol", "p", "strong", "table",
    "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
#: How each count is called, in the order in which they are shown.
LABELS = {
    "commits": "commits",
    "merged_pulls": "merged pull requests",
    "contributors": "contributors",
    "first_timers": "first-timers",
    "additions": "lines added",
    "deletions": "lines removed",
    "breaking": "breaking changes",
    "releases": "releases",
    "open_pulls": "open pull requests",
    "issues_opened": "issues opened",
    "issues_closed": "issues closed",
    "merges": "merge commits",
    "commits_by_bots": "commits by bots",
    "merged_pulls_by_bots": "merged pull requests by bots",
    "open_pulls_by_bots": "open pull requests by bots",
}
#: Counts that are worth a line only when there are any.
_SHOWN_IF_ANY = {"breaking", "merges", "commits_by_bots", "merged_pulls_by_bots",
                 "open_pulls_by_bots"}  # fmt: skip

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


def to_markdown(summary: Summary, *, title: str, zone: ZoneInfo) -> str:
    """Return the digest as Markdown; whatever strangers wrote is escaped."""
    return "\n".join([*_head(summary, title, zone), *_body(summary), *_foot(summary)]) + "\n"


def to_html(markdown: str) -> str:
    """Return the Markdown as HTML of a few harmless tags, with absolute http(s) links only."""
    return sanitised(_markdown.render(markdown))


def sanitised(html: str) -> str:
    """Return what is left of the HTML by the allow-list."""
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https"},
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
    )


def _head(summary: Summary, title: str, zone: ZoneInfo) -> Iterator[str]:
    start, end = (each.astimezone(zone) for each in (summary.window.start, summary.window.end))
    name = _link(plain(summary.repository), summary.url)
    yield f"# {plain(title)}"
    yield ""
    yield f"{name}, from {start:%a %d %b %Y %H:%M} to {end:%a %d %b %Y %H:%M} ({plain(zone.key)})"
    yield ""
    if summary.nothing_happened:
        bots = summary.counts["commits_by_bots"]
        yield "**Nothing happened in this period.**" + (f" (bots: {bots} commits)" if bots else "")
        yield ""


def _body(summary: Summary) -> Iterator[str]:
    yield from _section(HIGHLIGHTS, (_link(plain(h.text), h.url) for h in summary.highlights))
    yield from _figures(summary)
    if summary.groups:
        yield "## What changed"
        yield ""
    for name, changes in summary.groups.items():
        yield from _section(f"{plain(name)} ({len(changes)})", _changes(changes), level=3)
    yield from _section("Contributors", _contributors(summary))
    if summary.open_pulls:
        yield "## Open pull requests"
        yield ""
    for name, pulls in summary.open_pulls.items():
        yield from _section(f"{plain(name)} ({len(pulls)})", _open_pulls(pulls), level=3)
    yield from _section("Issues opened", _issues(summary.issues_opened))
    yield from _section("Issues closed", _issues(summary.issues_closed))
    yield from _section(
        "Releases",
        (f"{_link(plain(each.name), each.url)}, {each.at:%d %b %Y}" for each in summary.releases),
    )


def _foot(summary: Summary) -> Iterator[str]:
    yield from _section("Notes", (plain(note) for note in summary.notes))


def _figures(summary: Summary) -> Iterator[str]:
    yield "## Figures"
    yield ""
    yield "| | this period | the one before | change |"
    yield "|---|---:|---:|---:|"
    for name, label in LABELS.items():
        count = summary.counts.get(name)
        if count is None or (count == 0 and name in _SHOWN_IF_ANY):
            continue
        before = summary.before.get(name)
        compared = " | " if before is None else f"{before} | {count - before:+d}"
        yield f"| {label} | {count} | {compared} |"
    yield ""


def _section(heading: str, lines: Iterable[str], *, level: int = 2) -> Iterator[str]:
    items = list(lines)
    if not items:
        return
    yield f"{'#' * level} {heading}"
    yield ""
    yield from (f"- {item}" for item in items[:_MOST_LISTED])
    if len(items) > _MOST_LISTED:
        yield f"- … and {len(items) - _MOST_LISTED} more"
    yield ""


def _changes(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        size = "" if change.additions is None else f" (+{change.additions}/-{change.deletions})"
        yield f"{_ref(change.ref, change.url)} {plain(change.title)}, by {_by(change)}{size}"


def _contributors(summary: Summary) -> Iterator[str]:
    for person in summary.contributors:
        first = ", first contribution" if person.first_time else ""
        yield f"{plain(person.name)}: {person.changes}{first}"


def _open_pulls(pulls: Sequence[OpenPull]) -> Iterator[str]:
    for pull in pulls:
        since = f"since {pull.opened_at:%d %b %Y}{', draft' if pull.draft else ''}"
        yield f"{_ref(pull.ref, pull.url)} {plain(pull.title)}, by {_by(pull)}, {since}"


def _issues(issues: Sequence[Issue]) -> Iterator[str]:
    return (f"{_ref(issue.ref, issue.url)} {plain(issue.title)}" for issue in issues)


def _by(work: Change | OpenPull) -> str:
    return plain(work.author.name) or "unknown"


def _ref(ref: str, url: str) -> str:
    return _link(f"`{ref}`" if not url else plain(ref), url)


def _link(text: str, url: str) -> str:
    """Return a Markdown link, or the bare text when the address is not one that may be linked."""
    if not url.startswith(("https://", "http://")) or any(c in url for c in "<>()\\ \n\r\t\"'`"):
        return text
    return f"[{text}](<{url}>)"
