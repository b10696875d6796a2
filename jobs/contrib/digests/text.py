"""Making text that strangers wrote safe to show: one line, then Markdown."""

import re
import unicodedata

#: Invisible characters that end a line or turn the direction of what follows.
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
#: The joiners are part of emoji and of Indic and Arabic words.
_KEPT = {"\u200c", "\u200d"}
_ZERO_WIDTH_SPACE = "\u200b"

_ACTIVE = re.compile(r"([\\`*_\[\]<>&|~])")
_AT_START = re.compile(r"^(?:([#+\-=])|(\d+)([.)]))")
_URL = re.compile(r"(?i)://|\bwww\.")


def one_line(text: str, *, limit: int = 200) -> str:
    """Return the text on one line, without control characters, no longer than `limit`."""
    visible = "".join(
        " " if each.isspace() or unicodedata.category(each) in _INVISIBLE - {"Cf"} else each
        for each in text[: limit * 10]
        if each in _KEPT or unicodedata.category(each) != "Cf"
    )
    line = " ".join(visible.split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def escape_markdown(text: str) -> str:
    """Return the text as Markdown that shows just that text, on one line.

    No character of it can begin a link, an image, HTML, a list, a heading, code or a table's cell;
    bare addresses are not made links, and `@name` calls no one, by the readers that do so either.
    """
    line = _ACTIVE.sub(r"\\\1", one_line(text, limit=1000))
    line = _AT_START.sub(lambda m: f"\\{m[1]}" if m[1] else f"{m[2]}\\{m[3]}", line)
    line = _URL.sub(lambda m: ":\\//" if m[0] == "://" else f"{m[0][:-1]}\\.", line)
    return line.replace("@", f"@{_ZERO_WIDTH_SPACE}")
