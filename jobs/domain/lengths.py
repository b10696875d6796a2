"""Lengths of time as callers give them."""

from datetime import timedelta

from jobs.domain.backoff import LONGEST_WAIT
from jobs.domain.errors import InvalidOption


def checked_length(
    name: str, length: object, *, longest: timedelta = LONGEST_WAIT
) -> timedelta | None:
    """Return the length of time, or None for none.

    Args:
        name: of the option, for the error.
        length: more than 0.
        longest: it may be no more than that.

    Raises:
        InvalidOption: it is none, or out of range.
    """
    if length is None:
        return None
    if not isinstance(length, timedelta):
        raise InvalidOption(f"{name} must be a timedelta, not {str(length)[:40]!r}")
    if not timedelta(0) < length <= longest:
        raise InvalidOption(f"{name} {length} must be more than 0 and at most {longest.days} days")
    return length
