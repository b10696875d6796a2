"""Activities made by hand, for tests without a repository."""

from datetime import UTC, datetime
from typing import Any

from jobs.contrib.digests.activity import Activity, Change, Person, Window
from jobs.contrib.digests.period import period_between
from jobs.contrib.digests.summary import Summary, summarise

START = datetime(2026, 3, 1, tzinfo=UTC)
END = datetime(2026, 3, 8, tzinfo=UTC)
WINDOW, BEFORE = period_between(START, END)
ADA = Person(key="ada", name="Ada")
BOB = Person(key="bob", name="Bob")
BOT = Person(key="dependabot[bot]", name="dependabot[bot]", bot=True)


def change(title: str, author: Person = ADA, *, day: int = 2, **values: Any) -> Change:
    values.setdefault("ref", "0123456789")
    at = datetime(2026, 3, day, tzinfo=UTC)
    return Change(title=title, author=author, at=at, **values)


def activity(**values: Any) -> Activity:
    values.setdefault("repository", "/srv/project")
    values.setdefault("source", "git")
    return Activity(**values)


def summary(*, window: Window = WINDOW, before: Window = BEFORE, **values: Any) -> Summary:
    return summarise(activity(**values), window, before)
