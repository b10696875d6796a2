"""Conventional commits: which kind of change a title announces (conventionalcommits.org, 1.0.0)."""

import re

#: The groups of a digest, in the order in which they are shown.
TYPES = ("feat", "fix", "perf", "docs", "refactor", "test", "ci", "chore", "other")

#: Of a line of the message. Python and git's `-P` read both alike: see `figures`.
BREAKING_TITLE = r"(?i)^[a-z]+(?:\([^()]*\))?!: "
BREAKING_FOOTER = r"^BREAKING[ -]CHANGE: "

_ALIASES = {
    "feature": "feat",
    "features": "feat",
    "bugfix": "fix",
    "hotfix": "fix",
    "doc": "docs",
    "tests": "test",
    "style": "chore",
    "build": "chore",
    "deps": "chore",
}
_TITLE = re.compile(r"([a-z]+)(?:\([^()]*\))?!?: ", re.IGNORECASE)
_BREAKING = (re.compile(BREAKING_TITLE, re.MULTILINE), re.compile(BREAKING_FOOTER, re.MULTILINE))


def type_of(title: str) -> str:
    """Return the group of a change, one of `TYPES`; `other` if the title announces none of them."""
    match = _TITLE.match(title)
    if match is None:
        return "other"
    name = match[1].lower()
    name = _ALIASES.get(name, name)
    return name if name in TYPES else "other"


def is_breaking(title: str, body: str = "") -> bool:
    """Tell whether a change announces that it breaks something: `type!: ` or `BREAKING CHANGE: `.

    Any line may say so: a squashed pull request has the titles of its commits in the body.
    """
    message = f"{title}\n{body}"
    return any(pattern.search(message) for pattern in _BREAKING)
