"""A digest's content as the JSON that is stored with it."""

from dataclasses import asdict
from typing import Any

from jobs.contrib.digests.figures import git_commands
from jobs.contrib.digests.summary import Summary
from jobs.contrib.digests.text import one_line

#: What is stored of each list; the counts are whole.
_MOST_KEPT = 200


def to_data(summary: Summary) -> dict[str, Any]:
    """Return the summary as JSON-able data: moments in ISO 8601, lists cut at 200 entries.

    A digest made from git carries the commands that confirm its counts.
    """
    commands = git_commands(summary.window) if summary.source == "git" else {}
    return {
        "period": _window(summary.window.start, summary.window.end),
        "before_period": _window(summary.before_window.start, summary.before_window.end),
        "nothing_happened": summary.nothing_happened,
        "counts": summary.counts,
        "before": summary.before,
        "deltas": summary.deltas,
        "highlights": [asdict(each) for each in summary.highlights],
        "groups": {
            name: [
                {
                    "ref": change.ref,
                    "title": one_line(change.title),
                    "author": one_line(change.author.name, limit=80),
                    "at": change.at.isoformat(),
                    "url": change.url,
                    "additions": change.additions,
                    "deletions": change.deletions,
                }
                for change in changes[:_MOST_KEPT]
            ]
            for name, changes in summary.groups.items()
        },
        "contributors": [asdict(each) for each in summary.contributors[:_MOST_KEPT]],
        "open_pulls": {
            name: [
                {
                    "ref": pull.ref,
                    "title": one_line(pull.title),
                    "author": one_line(pull.author.name, limit=80),
                    "opened_at": pull.opened_at.isoformat(),
                    "url": pull.url,
                    "draft": pull.draft,
                }
                for pull in pulls[:_MOST_KEPT]
            ]
            for name, pulls in summary.open_pulls.items()
        },
        "issues_opened": [_issue(each) for each in summary.issues_opened[:_MOST_KEPT]],
        "issues_closed": [_issue(each) for each in summary.issues_closed[:_MOST_KEPT]],
        "releases": [
            {"name": one_line(each.name), "at": each.at.isoformat(), "url": each.url}
            for each in summary.releases[:_MOST_KEPT]
        ],
        "notes": list(summary.notes),
        "commands": {name: commands[name] for name in commands if name in summary.counts},
    }


def _window(start: Any, end: Any) -> dict[str, str]:
    return {"start": start.isoformat(), "end": end.isoformat()}


def _issue(issue: Any) -> dict[str, str]:
    return {"ref": issue.ref, "title": one_line(issue.title), "url": issue.url}
