"""Shortening a digest's Markdown, which grows with its repository, to what fits elsewhere."""

import re
from collections.abc import Iterator

from jobs.contrib.digests.rendering import HIGHLIGHTS

#: Entries of a list, and groups of a section, that are kept: one try after the other.
_MOST_KEPT = (15, 10, 5, 2)
_SECTIONS = re.compile(r"^(?=##? )", re.MULTILINE)
_GROUPS = re.compile(r"^(?=### )", re.MULTILINE)
_LIST = re.compile(r"(?:^- .*\n)+", re.MULTILINE)
_MORE = re.compile(r"- … and (\d+) more")


def shorter_versions(markdown: str, *, url: str) -> Iterator[str]:
    """Yield the digest's Markdown, shorter each time and empty at last.

    Every section stays, with fewer entries and groups; what is left out is counted. The head says
    that the digest was shortened.

    Args:
        markdown: as `to_markdown` makes it.
        url: where the whole digest is.
    """
    for most in _MOST_KEPT:
        blank, head, *sections = _SECTIONS.split(markdown)
        note = f"**Shortened: read [the whole digest](<{url}>).**\n\n"
        yield blank + head + note + "".join(_section(each, most) for each in sections)
    yield ""


def _section(section: str, most: int) -> str:
    if section.startswith(f"## {HIGHLIGHTS}\n"):
        return section  # a few lines, which matter most
    intro, *groups = _GROUPS.split(section)
    kept = [_with_short_lists(part, most) for part in (intro, *groups[:most])]
    if len(groups) > most:
        kept.append(f"… and {len(groups) - most} more groups\n\n")
    return "".join(kept)


def _with_short_lists(part: str, most: int) -> str:
    def shorten(found: re.Match[str]) -> str:
        entries = found[0].removesuffix("\n").split("\n")
        if len(entries) <= most:
            return found[0]
        left = sum(
            int(more[1]) if (more := _MORE.fullmatch(entry)) else 1 for entry in entries[most:]
        )
        return "\n".join([*entries[:most], f"- … and {left} more", ""])

    return _LIST.sub(shorten, part)
