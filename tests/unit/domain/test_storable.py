import decimal
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.domain.storable import storable

LIMIT = 1000


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (None, None),
        ({"a": (1, 2)}, {"a": [1, 2]}),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00Z"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("größe", "größe"),
        ("NaN", "NaN"),
        (["Infinity", 1.5], ["Infinity", 1.5]),
        (r"\u0000", r"\u0000"),
        (["\\", r"\\u0000"], ["\\", r"\\u0000"]),
    ],
)
def test_what_json_lacks_becomes_what_it_has(value: object, stored: object) -> None:
    assert storable(value, limit_bytes=LIMIT) == stored


def looped() -> list[object]:
    loop: list[object] = []
    loop.append(loop)
    return loop


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (object(), "not JSON"),
        (float("nan"), "number"),
        ([float("inf")], "number"),
        ("a\0b", "NUL"),
        ("\ud800", "surrogate"),
        ("x" * LIMIT, "1002 bytes"),
        ({"\ud800": 1}, "surrogate"),
        (b"\xff", "base64"),
        pytest.param(10**5000, "digits", id="long"),
        ([decimal.Decimal("1"), float("-inf")], "number"),
        (looped(), "loop"),
        (nested(3000), "nested"),
    ],
)
def test_what_cannot_be_stored_is_refused(value: object, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        storable(value, limit_bytes=LIMIT)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text("abcäö", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_plain_json_stays_as_it_is(value: object) -> None:
    assert storable(value, limit_bytes=10_000) == value
