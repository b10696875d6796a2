"""How long to wait before the next attempt."""

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, get_args

from jobs.domain.errors import ConfigurationError

Kind = Literal["exponential", "linear", "fixed"]
Jitter = Literal["none", "equal", "full"]

#: Nothing is put off for longer: a database's dates end somewhere.
LONGEST_WAIT = timedelta(days=3660)
#: 2 ** 64 seconds is past any cap; the exponent is bounded so that the power never overflows.
_LARGEST_EXPONENT = 64


@dataclass(frozen=True, slots=True)
class Backoff:
    """The wait after each failed attempt, as a value.

    With `n` the attempts spent so far, from 1: exponential waits `base · factor^(n-1)`, linear
    `base · n`, fixed `base`, never more than `cap`. Jitter then spreads the waits of jobs that
    failed together ("Exponential Backoff And Jitter", Marc Brooker, AWS Architecture Blog, 2015):
    `full` draws from 0 to the wait, `equal` from half of it to the whole, `none` takes it as it is.
    """

    kind: Kind = "exponential"
    base: timedelta = timedelta(seconds=2)
    cap: timedelta = timedelta(minutes=5)
    factor: float = 2.0
    jitter: Jitter = "full"

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ConfigurationError(
                f"back-off kind {self.kind!r} is unknown; use one of: {', '.join(get_args(Kind))}"
            )
        if self.jitter not in get_args(Jitter):
            raise ConfigurationError(
                f"jitter {self.jitter!r} is unknown; use one of: {', '.join(get_args(Jitter))}"
            )
        if not timedelta(0) <= self.base <= self.cap <= LONGEST_WAIT:
            raise ConfigurationError(
                f"back-off needs 0 <= base <= cap <= {LONGEST_WAIT.days} days, not "
                f"base={self.base} and cap={self.cap}"
            )
        if self.factor < 1:
            raise ConfigurationError(f"back-off factor must be at least 1, not {self.factor}")

    @classmethod
    def exponential(
        cls,
        base: timedelta = timedelta(seconds=2),
        cap: timedelta = timedelta(minutes=5),
        *,
        factor: float = 2.0,
        jitter: Jitter = "full",
    ) -> "Backoff":
        """Wait `base`, then `factor` times as long each time, up to `cap`."""
        return cls("exponential", base, cap, factor, jitter)

    @classmethod
    def linear(
        cls,
        base: timedelta,
        cap: timedelta = timedelta(minutes=5),
        *,
        jitter: Jitter = "full",
    ) -> "Backoff":
        """Wait `base` longer each time, up to `cap`."""
        return cls("linear", base, max(cap, base), 1.0, jitter)

    @classmethod
    def fixed(cls, base: timedelta, *, jitter: Jitter = "full") -> "Backoff":
        """Wait `base` each time."""
        return cls("fixed", base, base, 1.0, jitter)

    def ceiling(self, attempts: int) -> timedelta:
        """Return the wait after so many spent attempts (1 or more), before jitter."""
        n = max(attempts, 1)
        if self.kind == "fixed":
            seconds = self.base.total_seconds()
        elif self.kind == "linear":
            seconds = self.base.total_seconds() * n
        else:
            exponent = min(n - 1, _LARGEST_EXPONENT)
            seconds = self.base.total_seconds() * self.factor**exponent
        return timedelta(seconds=min(seconds, self.cap.total_seconds()))

    def delay(self, attempts: int, *, draw: float | None = None) -> timedelta:
        """Return the wait after so many spent attempts, jitter included.

        Args:
            attempts: attempts spent so far, from 1.
            draw: the random number in [0, 1) to use; one is drawn if it is None.
        """
        wait = self.ceiling(attempts)
        if self.jitter == "none":
            return wait
        chance = random.random() if draw is None else draw  # noqa: S311 - not a secret
        return wait * chance if self.jitter == "full" else wait / 2 + wait / 2 * chance
