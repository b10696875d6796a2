"""From a repository's activity to the digest's content: counts, groups, people, comparison."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.contrib.digests.activity import Activity, Change, Issue, OpenPull, Release, Window
from jobs.contrib.digests.conventional import TYPES, is_breaking, type_of
from jobs.contrib.digests.highlights import Highlight, highlights_of
from jobs.contrib.digests.text import one_line

UNLABELLED = "unlabelled"
_AGES = (
    ("up to a week", timedelta(weeks=1)),
    ("up to four weeks", timedelta(weeks=4)),
    ("up to three months", timedelta(days=90)),
)
_OLDEST = "older than three months"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributor:
    """A person and how many changes of the period are theirs."""

    name: str
    changes: int
    first_time: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The content of a digest.

    Attributes:
        counts: whole numbers by name; a count that the source cannot tell is left out.
        before: the counts that can be compared, in the period before.
        groups: changes by conventional-commit type or by label, newest first; bots left out.
        open_pulls: by how long they have been open when the period ends, oldest first.
    """

    repository: str
    source: str
    url: str
    window: Window
    before_window: Window
    counts: dict[str, int]
    before: dict[str, int]
    highlights: tuple[Highlight, ...]
    groups: dict[str, tuple[Change, ...]]
    contributors: tuple[Contributor, ...]
    open_pulls: dict[str, tuple[OpenPull, ...]]
    issues_opened: tuple[Issue, ...]
    issues_closed: tuple[Issue, ...]
    releases: tuple[Release, ...]
    notes: tuple[str, ...]

    @property
    def nothing_happened(self) -> bool:
        """Whether no person changed anything, released anything or touched an issue."""
        told = ("commits", "merged_pulls", "releases", "issues_opened", "issues_closed")
        return not any(self.counts.get(name) for name in told)

    @property
    def deltas(self) -> dict[str, int]:
        """How much more (or less) there was than in the period before."""
        return {
            name: self.counts[name] - before
            for name, before in self.before.items()
            if name in self.counts
        }


def summarise(activity: Activity, window: Window, before_window: Window) -> Summary:
    """Return the digest's content. Pure: the same activity gives the same summary."""
    commits = _by_people(activity.commits)
    pulls = None if activity.pulls is None else _by_people(activity.pulls)
    changes = commits if pulls is None else pulls
    contributors = _contributors(commits, pulls or (), activity.newcomers or frozenset())
    counts = {
        **_counts_of(activity.commits, activity.pulls),
        "commits_by_bots": len(activity.commits) - len(commits),
        "merges": activity.merges,
        "breaking": sum(_is_breaking(change) for change in changes),
        "releases": len(activity.releases),
        **_counts_of_open_work(activity),
    }
    if activity.newcomers is not None:
        counts["first_timers"] = sum(each.first_time for each in contributors)
    return Summary(
        repository=one_line(activity.repository, limit=500),
        source=activity.source,
        url=activity.url,
        window=window,
        before_window=before_window,
        counts=counts,
        before=_counts_of(activity.commits_before, activity.pulls_before),
        highlights=highlights_of(
            [change for change in changes if _is_breaking(change)],
            activity.releases,
            changes,
            [each.name for each in contributors if each.first_time],
        ),
        groups=_grouped(changes, by_label=pulls is not None),
        contributors=contributors,
        open_pulls=_by_age(activity.open_pulls or (), window.end),
        issues_opened=activity.issues_opened or (),
        issues_closed=activity.issues_closed or (),
        releases=tuple(sorted(activity.releases, key=lambda each: each.at, reverse=True)),
        notes=activity.notes,
    )


def _by_people(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(change for change in changes if not change.author.bot)


def _is_breaking(change: Change) -> bool:
    labels = {label.lower().replace("-", " ") for label in change.labels}
    return is_breaking(change.title, change.body) or bool(labels & {"breaking", "breaking change"})


def _counts_of(all_commits: Sequence[Change], all_pulls: Sequence[Change] | None) -> dict[str, int]:
    """Return the counts that are compared with the period before."""
    commits, pulls = _by_people(all_commits), _by_people(all_pulls or ())
    counts = {"commits": len(commits)}
    counts["contributors"] = len({change.author.key for change in (*commits, *pulls)})
    if all_pulls is not None:
        return {**counts, "merged_pulls": len(pulls)}
    if any(change.additions is None for change in commits):
        return counts
    counts["additions"] = sum(change.additions or 0 for change in commits)
    counts["deletions"] = sum(change.deletions or 0 for change in commits)
    return counts


def _counts_of_open_work(activity: Activity) -> dict[str, int]:
    counts: dict[str, int] = {}
    if activity.pulls is not None:
        bots = len(activity.pulls) - len(_by_people(activity.pulls))
        counts["merged_pulls_by_bots"] = bots
    if activity.open_pulls is not None:
        people = sum(not pull.author.bot for pull in activity.open_pulls)
        counts["open_pulls"] = people
        counts["open_pulls_by_bots"] = len(activity.open_pulls) - people
    if activity.issues_opened is not None and activity.issues_closed is not None:
        counts["issues_opened"] = len(activity.issues_opened)
        counts["issues_closed"] = len(activity.issues_closed)
    return counts


def _contributors(
    commits: Sequence[Change], pulls: Sequence[Change], newcomers: frozenset[str]
) -> tuple[Contributor, ...]:
    names: dict[str, str] = {}
    for change in sorted((*commits, *pulls), key=lambda each: each.at):
        names[change.author.key] = one_line(change.author.name, limit=80) or change.author.key
    spent = Counter(change.author.key for change in (pulls or commits))
    people = (
        Contributor(name=name, changes=spent[key], first_time=key in newcomers)
        for key, name in names.items()
    )
    return tuple(sorted(people, key=lambda each: (-each.changes, each.name.casefold())))


def _grouped(changes: Sequence[Change], *, by_label: bool) -> dict[str, tuple[Change, ...]]:
    groups: dict[str, list[Change]] = {}
    for change in sorted(changes, key=lambda each: each.at, reverse=True):
        name = _label_of(change) if by_label else type_of(change.title)
        groups.setdefault(name, []).append(change)

    def order(name: str) -> tuple[bool, int, str]:
        known = TYPES.index(name) if not by_label and name in TYPES else 0
        return name == UNLABELLED, known if not by_label else -len(groups[name]), name

    return {name: tuple(groups[name]) for name in sorted(groups, key=order)}


def _label_of(change: Change) -> str:
    return one_line(change.labels[0], limit=50) if change.labels else UNLABELLED


def _by_age(pulls: Sequence[OpenPull], end: datetime) -> dict[str, tuple[OpenPull, ...]]:
    groups: dict[str, list[OpenPull]] = {_OLDEST: [], **{name: [] for name, _ in reversed(_AGES)}}
    for pull in sorted(pulls, key=lambda each: each.opened_at):
        if not pull.author.bot:
            age = end - pull.opened_at
            groups[next((name for name, most in _AGES if age <= most), _OLDEST)].append(pull)
    return {name: tuple(group) for name, group in groups.items() if group}
