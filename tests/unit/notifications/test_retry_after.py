from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.retry_after import LONGEST_WAIT, parse_retry_after

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("120", timedelta(minutes=2)),
        (" 0 ", timedelta(0)),
        ("-5", timedelta(0)),
        ("Thu, 05 Mar 2026 12:00:30 GMT", timedelta(seconds=30)),
        ("Thu, 05 Mar 2026 12:00:30 -0000", timedelta(seconds=30)),
        ("Thu, 05 Mar 2026 11:00:00 GMT", timedelta(0)),
        ("99999999", LONGEST_WAIT),
        ("9" * 30, LONGEST_WAIT),
        ("Fri, 05 Mar 2027 12:00:00 GMT", LONGEST_WAIT),
        ("9" * 5000, None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_seconds_and_dates(value: str | None, wait: timedelta | None) -> None:
    assert parse_retry_after(value, now=NOW) == wait


@given(st.text())
def test_whatever_it_says_the_wait_is_none_or_in_range(value: str) -> None:
    wait = parse_retry_after(value, now=NOW)
    assert wait is None or timedelta(0) <= wait <= LONGEST_WAIT
