"""Keeps what may be secret out of errors and logs."""

import re

LONGEST_ERROR = 300

_URL = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*://)(?:[^\s/?#]*@)?([^\s?#\"'<>]*)([?#][^\s\"'<>]*)?")


def redact(text: str) -> str:
    """Return the text with user names, passwords and queries taken out of every URL in it."""
    return _URL.sub(lambda url: f"{url[1]}{url[2]}{'?…' if url[3] else ''}", text)


def short_error(text: str) -> str:
    """Return what another side said, on one line, redacted and of bounded length."""
    line = redact(" ".join("".join(c if c.isprintable() else " " for c in text).split()))
    return line if len(line) <= LONGEST_ERROR else line[: LONGEST_ERROR - 1] + "…"
