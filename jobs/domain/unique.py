"""Jobs of which there may be only one like them for a while."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from jobs.domain.backoff import LONGEST_WAIT
from jobs.domain.errors import InvalidOption

#: Until it starts, until it ends, or for so long.
Unique = Literal["waiting", "active"] | timedelta


@dataclass(frozen=True, slots=True)
class Claim:
    """What a new job asks for: to be the only one like it.

    Attributes:
        key: what makes another one like it, beside tenant and type.
        until_start: whether it has to be the only one until it starts, and not until it ends.
        period: for so long, whatever becomes of it; None: as `until_start` says.
        result_ttl: until it has ended badly, or its result is so old; None: as the others say.
    """

    key: str
    until_start: bool = False
    period: timedelta | None = None
    result_ttl: timedelta | None = None


def checked_unique(unique: Any) -> Unique | None:
    """Return for how long a job is to be the only one like it.

    Raises:
        InvalidOption: it is none of `waiting`, `active` and a length of time.
    """
    if unique is None or unique in ("waiting", "active"):
        return unique  # type: ignore[no-any-return] # one of the two
    if not isinstance(unique, timedelta) or not timedelta(0) < unique <= LONGEST_WAIT:
        raise InvalidOption(
            f"unique must be 'waiting', 'active' or a timedelta of more than 0 and at most "
            f"{LONGEST_WAIT.days} days, not {str(unique)[:40]!r}"
        )
    return unique
