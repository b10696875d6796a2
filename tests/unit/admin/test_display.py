from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from jobs.admin.display import due, first_line, period


def moment(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2026-11-18T08:00", "2026-11-25T08:00", "18-25 Nov 2026"),
        ("2026-03-01T00:00", "2026-03-08T00:00", "1-7 Mar 2026"),
        ("2026-03-01T00:00", "2026-03-02T00:00", "1 Mar 2026"),
        ("2026-11-28T08:00", "2026-12-05T08:00", "28 Nov - 5 Dec 2026"),
        ("2025-12-28T08:00", "2026-01-04T08:00", "28 Dec 2025 - 4 Jan 2026"),
    ],
)
def test_a_period_is_told_in_its_days(start: str, end: str, days: str) -> None:
    told = period(moment(start), moment(end)).replace("\N{EN DASH}", "-")
    assert f">{days}</span>" in told


def test_the_exact_moments_of_a_period_show_on_hover() -> None:
    told = period(moment("2026-11-18T08:30"), moment("2026-11-25T08:30"))
    assert 'title="Wed 18 Nov 2026, 08:30:00 UTC to Wed 25 Nov 2026, 08:30:00 UTC"' in told


def test_what_is_due_is_told_from_what_was() -> None:
    now = timezone.now()
    assert due(now + timedelta(minutes=5, seconds=30)).startswith("due <time")
    assert due(now - timedelta(minutes=5)).startswith("was due <time")
    assert due(None) == "—"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n  it broke \nmore", "it broke"),
        ("twelve chars", "twelve chars"),
        ("twelve charss", "twelve…"),
        ("unspeakablylong", "unspeakably…"),
        ("", ""),
    ],
)
def test_a_line_that_is_too_long_ends_after_a_whole_word(text: str, line: str) -> None:
    assert first_line(text, 12) == line
