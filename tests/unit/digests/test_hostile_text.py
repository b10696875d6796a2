"""Titles and names written by strangers cannot become anything but text."""

import re
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from markdown_it import MarkdownIt

from jobs.contrib.digests.activity import Issue, OpenPull, Person, Release
from jobs.contrib.digests.rendering import sanitised, to_html, to_markdown
from jobs.contrib.digests.text import escape_markdown, one_line
from tests.unit.digests.activities import START, change, summary

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "&lt;script&gt;",
    "[x](javascript:alert(1))",
    "[x](http://evil.example)",
    "[x]: http://evil.example",
    "[x][y]",
    "![](http://evil.example/pixel.png)",
    "<http://evil.example>",
    "<me@evil.example>",
    "http://evil.example www.evil.example me@evil.example",
    "HTTPS://EVIL.EXAMPLE WWW.EVIL.EXAMPLE",
    "@everyone",
    "@here <!channel> <@U123>",
    "`code` ``` ~~~",
    "```\nfence\n```",
    "line\nfeed\r\ncarriage\rreturn\n\n# heading",
    "a\u2028b\u2029c\x85d\x0be\x0cf\x00g\x1b[31mred",
    "\u202egnp.exe\u2066 \ufeff\u200b",
    "# heading",
    "- item",
    "+ item",
    "1. item",
    "12) item",
    "> quote",
    "=====",
    "-----",
    "***",
    "| a | b |",
    "\\",
    "ends with a backslash \\",
    "**bold** _em_ ~~gone~~",
    "*)](http://evil.example)",
    "</li></ul><h1>",
    "&#x3c;script&#x3e; &copy;",
    "x" * 5000,
    "",
    "   ",
]


class Shape(HTMLParser):
    """What an HTML page is made of: its tags, attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def digest_of(hostile: str, *, url: str = "https://github.com/o/r/pull/1") -> tuple[str, str]:
    """Put the text wherever strangers can write."""
    person = Person(key="k", name=hostile)
    work = change(f"feat!: {hostile}", person, additions=900, deletions=1, url=url)
    titled = change(hostile, person, url=url, labels=(hostile,))
    made = summary(
        repository=hostile or "x",
        commits=(work,),
        pulls=(work, titled),
        pulls_before=(),
        open_pulls=(OpenPull(ref="#2", title=hostile, author=person, opened_at=START, url=url),),
        issues_opened=(Issue(ref="#3", title=hostile, url=url),),
        issues_closed=(),
        releases=(Release(name=hostile, at=START, url=url),),
        newcomers=frozenset({"k"}),
        notes=(hostile,),
    )
    markdown = to_markdown(made, title=hostile or "title", zone=ZoneInfo("UTC"))
    return markdown, to_html(markdown)


PLAIN_SHAPE = Shape(digest_of("harmless")[1])


@pytest.mark.parametrize("hostile", [text for text in HOSTILE if text.strip()])
def test_a_hostile_text_leaves_the_shape_of_the_page_as_it_was(hostile: str) -> None:
    shape = Shape(digest_of(hostile)[1])
    assert shape.tags == PLAIN_SHAPE.tags
    assert shape.links == PLAIN_SHAPE.links
    assert shape.attributes == {"href", "rel"}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_is_shown_is_the_text_itself(hostile: str) -> None:
    html = to_html(f"- x {escape_markdown(hostile)} y")
    shown = Shape(html).text.replace("\u200b", "").split()
    assert shown == ["x", *one_line(hostile, limit=1000).split(), "y"]
    assert Shape(html).tags == ["ul", "li"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_text_that_begins_a_block_opens_none(hostile: str) -> None:
    assert set(Shape(to_html(escape_markdown(hostile))).tags) <= {"p"}
    assert set(Shape(to_html(f"- {escape_markdown(hostile)}")).tags) == {"ul", "li"}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_readers_that_link_bare_addresses_find_none(hostile: str) -> None:
    markdown, _ = digest_of(hostile)
    # What GitHub's and Slack's readers look for, in the text as it stands.
    bare = re.sub(r"\]\(<https://github\.com/o/r/pull/1>\)", "]", markdown)
    assert not re.search(r"https?://|www\.|@\w|(?<!\\)<[!@a-z/]", bare, re.IGNORECASE)
    assert "\r" not in markdown


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "//evil.example", "/admin/", "https://x/>)[y](z",
     "https://x/ onclick=1", 'https://x/"', "", "ftp://x", "https://x/\n"],
)  # fmt: skip
def test_only_absolute_web_addresses_are_linked(url: str) -> None:
    assert Shape(digest_of("harmless", url=url)[1]).links == []


def test_the_allow_list_holds_whatever_the_renderer_lets_through() -> None:
    loose = MarkdownIt("commonmark", {"html": True}).render(
        "<script>alert(1)</script><b onclick=x style=y>bold</b><iframe src=x></iframe>"
        "<a href='javascript:x'>j</a><a href='/relative'>r</a><a href='//evil.example'>p</a>"
        "<a href='https://example.com' target=_blank onmouseover=x>ok</a><img src=x><form>"
    )
    shape = Shape(sanitised(loose))
    assert shape.links == ["https://example.com"]
    assert set(shape.tags) <= {"p", "a"}
    assert shape.attributes == {"href", "rel"}
    assert "alert" not in shape.text


def test_a_line_is_one_line_of_visible_characters() -> None:
    assert one_line("a\r\nb\tc\x00d\u2028e\u202ef") == "a b c d ef"
    assert one_line("👩\u200d💻 naïve 日本") == "👩\u200d💻 naïve 日本"
    assert one_line("word " * 100, limit=20) == "word word word word…"
