import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.domain.cron import check_cron, next_occurrence, occurrences, zone
from jobs.domain.errors import InvalidCron, UnknownTimeZone


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def listed(expression: str, timezone: str, after: str, count: int) -> list[str]:
    found = occurrences(expression, timezone, utc(after), count)
    return [each.strftime("%m-%d %H:%M") for each in found]


def test_a_cron_is_read_by_the_clock_of_its_zone() -> None:
    assert listed("0 9 * * *", "Europe/Berlin", "2026-01-01 00:00", 1) == ["01-01 08:00"]
    assert listed("0 9 * * *", "Europe/Berlin", "2026-07-01 00:00", 1) == ["07-01 07:00"]
    assert listed("0 9 * * *", "Asia/Kolkata", "2026-07-01 00:00", 1) == ["07-01 03:30"]


def test_aliases_are_known() -> None:
    assert listed("@daily", "UTC", "2026-01-01 00:00", 2) == ["01-02 00:00", "01-03 00:00"]
    assert listed("@hourly", "UTC", "2026-01-01 00:00", 1) == ["01-01 01:00"]


def test_a_fixed_time_occurs_once_when_clocks_go_back() -> None:
    # Berlin, 25 October 2026: 03:00 summer time becomes 02:00.
    assert listed("30 2 * * *", "Europe/Berlin", "2026-10-24 12:00", 2) == [
        "10-25 00:30",
        "10-26 01:30",
    ]


def test_a_skipped_time_occurs_at_the_change_when_clocks_go_forward() -> None:
    # Berlin, 29 March 2026: 02:00 becomes 03:00 summer time, at 01:00 UTC.
    assert listed("30 2 * * *", "Europe/Berlin", "2026-03-28 12:00", 2) == [
        "03-29 01:00",
        "03-30 00:30",
    ]


@pytest.mark.parametrize("day", ["2026-10-25", "2026-03-29"])
def test_an_hourly_cron_occurs_in_every_real_hour(day: str) -> None:
    found = occurrences("15 * * * *", "Europe/Berlin", utc(f"{day} 00:00") - timedelta(hours=4), 12)
    assert [later - earlier for earlier, later in itertools.pairwise(found)] == [
        timedelta(hours=1)
    ] * 11


@given(
    minute=st.sampled_from(["*", "*/7", "0", "30", "59"]),
    hour=st.sampled_from(["*", "*/3", "1", "2", "3", "23"]),
    timezone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1)),  # noqa: DTZ001
)
@settings(max_examples=150, deadline=None)
def test_occurrences_only_go_forward_and_repeat_from_any_point(
    minute: str, hour: str, timezone: str, start: datetime
) -> None:
    cron = f"{minute} {hour} * * *"
    found = occurrences(cron, timezone, start.replace(tzinfo=UTC), 5)
    assert found == sorted(set(found))
    for earlier, later in itertools.pairwise(found):
        assert next_occurrence(cron, timezone, earlier) == later
        assert next_occurrence(cron, timezone, later - timedelta(seconds=1)) == later


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("", "0 fields"),
        ("* * * *", "4 fields"),
        ("* * * * * * *", "7 fields"),
        ("61 * * * * *", "field 1, the second .61."),
        ("0 25 * * *", "field 2, the hour .25."),
        ("61 * * * *", "61"),
        ("x * * * *", "x"),
        ("0 0 30 2 *", "never"),
        ("@sometimes", "'@sometimes' is not known; use one of @hourly, @daily"),
        (" @daily", "1 fields"),
        ("*" * 300, "200"),
    ],
)
def test_a_cron_that_cannot_be_read_says_why(expression: str, named: str) -> None:
    with pytest.raises(InvalidCron, match=named):
        check_cron(expression)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "europe"])
def test_an_unknown_zone_is_named(name: str) -> None:
    with pytest.raises(UnknownTimeZone, match="IANA"):
        zone(name)
