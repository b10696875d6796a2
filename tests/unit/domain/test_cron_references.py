"""On the days the clocks change, beside a reference: CronSim, which goes by Debian's cron."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from jobs.domain.cron import occurrences

CHANGES = {
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "America/St_Johns": ("2026-03-08", "2026-11-01"),
    "Australia/Lord_Howe": ("2026-10-04", "2026-04-05"),  # by half an hour
}
EXPRESSIONS = (
    "* * * * *", "*/15 * * * *", "0 * * * *", "30 * * * *", "15 */2 * * *", "0 1-3 * * *",
    "30 1 * * *", "0 2 * * *", "30 2 * * *", "0 3 * * *", "30 2 * * 0", "0 0 * * *",
    "45 1 1,4,5,8,25,29 * *",
)  # fmt: skip
#: Where we differ, and why we are right: (day, expression), what only we have, what only it has.
DIFFERENCES: dict[tuple[str, str], tuple[list[str], list[str]]] = {
    # 02:30 is the very moment at which the clock goes from 02:00 to 02:30, so it is shown.
    ("2026-10-04", "30 * * * *"): (["02:30+11:00"], []),
    # The clock shows these a second time, and what runs every hour runs in real hours.
    ("2026-04-05", "30 * * * *"): (["01:30+10:30"], []),
    ("2026-04-05", "15 */2 * * *"): (["02:15+10:30"], []),
}


def shown(moments: Iterable[datetime], place: ZoneInfo) -> list[str]:
    return [at.astimezone(place).isoformat(timespec="minutes")[11:] for at in moments]


@pytest.mark.parametrize("expression", EXPRESSIONS)
@pytest.mark.parametrize(
    ("zone", "day"), [(zone, day) for zone, days in CHANGES.items() for day in days]
)
def test_the_occurrences_are_those_of_the_reference(zone: str, day: str, expression: str) -> None:
    place = ZoneInfo(zone)
    begin = datetime.fromisoformat(day).replace(tzinfo=place).astimezone(UTC) - timedelta(hours=1)
    end = begin + timedelta(hours=28)
    reference = CronSim(expression, begin.astimezone(place))
    theirs: list[datetime] = []
    while not theirs or theirs[-1] < end:
        theirs.append(next(reference).astimezone(UTC))
    ours = occurrences(expression, zone, begin, len(theirs) + 3)
    only_ours = [at for at in ours if at < end and at not in theirs]
    only_theirs = [at for at in theirs if at < end and at not in ours]
    expected = DIFFERENCES.get((day, expression), ([], []))
    assert (shown(only_ours, place), shown(only_theirs, place)) == expected


def test_a_step_in_the_minutes_does_not_make_a_fixed_hour_an_hourly_one() -> None:
    """CronSim, as Debian, takes `*/20` for a wildcard, and runs it in both hours; we run it once.

    A list of hours is a list of times on the clock, however its minutes are written.
    """
    begin = datetime(2026, 10, 24, 22, tzinfo=UTC)
    found = occurrences("*/20 1,2 * * *", "Europe/Berlin", begin, 6)
    place = ZoneInfo("Europe/Berlin")
    assert shown(found, place) == [
        "01:00+02:00", "01:20+02:00", "01:40+02:00", "02:00+02:00", "02:20+02:00", "02:40+02:00",
    ]  # fmt: skip
