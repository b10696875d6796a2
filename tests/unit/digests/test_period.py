from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from jobs.contrib.digests.period import period_between, periods_ending

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_week_is_seven_days_and_follows_the_one_before() -> None:
    end = datetime(2026, 3, 8, 12, tzinfo=UTC)
    window, before = periods_ending(end, "week", ZoneInfo("UTC"))
    assert (window.start, window.end) == (datetime(2026, 3, 1, 12, tzinfo=UTC), end)
    assert (before.start, before.end) == (datetime(2026, 2, 22, 12, tzinfo=UTC), window.start)


def test_a_day_follows_the_wall_clock_when_the_clocks_change() -> None:
    end = datetime(2026, 3, 30, 0, tzinfo=BERLIN)
    window, _ = periods_ending(end, "day", BERLIN)
    assert window.start == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert window.end.astimezone(UTC) - window.start.astimezone(UTC) == timedelta(hours=23)


def test_a_month_is_a_calendar_month_also_from_its_last_day() -> None:
    end = datetime(2026, 3, 31, tzinfo=UTC)
    window, before = periods_ending(end, "month", ZoneInfo("UTC"))
    assert window.start == datetime(2026, 2, 28, tzinfo=UTC)
    assert before.start == datetime(2026, 1, 31, tzinfo=UTC)
    january, _ = periods_ending(datetime(2026, 1, 1, tzinfo=UTC), "month", ZoneInfo("UTC"))
    assert january.start == datetime(2025, 12, 1, tzinfo=UTC)


def test_a_period_of_ones_own_is_compared_with_one_as_long() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    window, before = period_between(start, start + timedelta(hours=36))
    assert (before.start, before.end) == (start - timedelta(hours=36), start)
    assert start in window
    assert window.end not in window
    assert None not in window
