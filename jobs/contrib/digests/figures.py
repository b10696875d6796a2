"""The git commands that confirm the counts of a digest, to be run with bash in the repository."""

from datetime import UTC, datetime, timedelta

from jobs.contrib.digests.activity import Window
from jobs.contrib.digests.bots import BOT_PATTERN
from jobs.contrib.digests.conventional import BREAKING_FOOTER, BREAKING_TITLE

_BOTS = f"-P --author='(?i){BOT_PATTERN}'"
_PEOPLE = f"-P --author='(?i)^(?!.*(?:{BOT_PATTERN}))'"
_SUM_OF_COLUMN = "awk '{{ n += ${} }} END {{ print n + 0 }}'"


def git_commands(window: Window) -> dict[str, str]:
    """Return the command for each count, by the count's name.

    They see the default branch by the committer's date. Git's `--until` includes its moment while
    a period's end is outside, hence the second less; `--since-as-filter` (git 2.37) looks past
    commits with a wrong clock where `--since` stops.
    """
    start, last = _moment(window.start), _moment(window.end - timedelta(seconds=1))
    period = f"--since-as-filter={start} --until={last} HEAD"
    by_people = f"--no-merges {_PEOPLE} {period}"
    before = _moment(window.start - timedelta(seconds=1))
    authors = f"git log --format=%aE {by_people} {_UNIQUE}"
    earlier = f"git log --format=%aE --no-merges --until={before} HEAD {_UNIQUE}"
    lines = f"git log --numstat --format= -M100% {by_people}"
    breaking = f"--grep='{BREAKING_TITLE}' --grep='{BREAKING_FOOTER}'"
    first, end = int(window.start.timestamp()), int(window.end.timestamp())
    return {
        "commits": f"git rev-list --count {by_people}",
        "commits_by_bots": f"git rev-list --count --no-merges {_BOTS} {period}",
        "merges": f"git rev-list --count --merges {period}",
        "contributors": f"{authors} | wc -l",
        "first_timers": f"comm -23 <({authors}) <({earlier}) | wc -l",
        "additions": f"{lines} | {_SUM_OF_COLUMN.format(1)}",
        "deletions": f"{lines} | {_SUM_OF_COLUMN.format(2)}",
        "breaking": f"git rev-list --count {breaking} {by_people}",
        "releases": (
            "git for-each-ref --format='%(creatordate:unix)' refs/tags"
            f" | awk '$1 != \"\" && $1 >= {first} && $1 < {end}' | wc -l"
        ),
    }


_UNIQUE = "| LC_ALL=C tr A-Z a-z | LC_ALL=C sort -u"


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
