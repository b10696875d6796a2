"""Which authors are programs."""

import re

#: Matches `Name <email>` of a program, letter case aside. Python and git's `-P` read it alike, so
#: that the commands in `figures` leave out the same commits.
BOT_PATTERN = (
    r"\[bot\]|^(?:dependabot|renovate|github-actions?|greenkeeper|snyk|pre-commit-ci|mergify"
    r"|weblate|allcontributors|imgbot|codecov|pyup|web-flow|semantic-release)"
    r"(?:[- ]?(?:bot|preview))? <"
)
_BOT = re.compile(BOT_PATTERN, re.IGNORECASE)


def is_bot(name: str, email: str = "") -> bool:
    """Tell whether a program writes under this name: `[bot]`, dependabot, renovate and others."""
    return _BOT.search(f"{name} <{email}>") is not None
