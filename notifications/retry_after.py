"""Reads the Retry-After header (RFC 9110, section 10.2.3)."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

#: A receiver may ask for patience, not for ever.
LONGEST_WAIT = timedelta(days=1)


def parse_retry_after(value: str | None, *, now: datetime) -> timedelta | None:
    """Return the wait that the header asks for, from 0 to a day; None if it says nothing usable.

    Args:
        value: seconds, or an HTTP date.
        now: the moment to count a date from; aware.
    """
    if not value:
        return None
    try:
        wait = timedelta(seconds=int(value.strip()))
    except OverflowError:
        return LONGEST_WAIT
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        # RFC 5322's "-0000" gives a naive time, which stands for UTC.
        wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta(0)), LONGEST_WAIT)
