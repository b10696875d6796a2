"""What a health check can end in: what it raises to say so, and the result that is kept."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Unhealthy(Exception):
    """Raised by a check: something is wrong. The message is shown to people: no secrets."""


class Skipped(Exception):
    """Raised by a check: there is nothing to look at, such as a service that no one set up."""


class Status(StrEnum):
    """How a check ended."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    #: Counts as healthy.
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """How one check ended.

    Attributes:
        name: the check's name.
        required: whether the whole is unhealthy if this is.
        status: how it ended.
        message: for people; without secrets.
        seconds: how long it took.
    """

    name: str
    required: bool
    status: Status
    message: str
    seconds: float

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong."""
        return self.status is not Status.UNHEALTHY

    def as_json(self) -> dict[str, Any]:
        """Return the result as plain data."""
        return asdict(self) | {"status": str(self.status)}


def all_healthy(results: list[CheckResult]) -> bool:
    """Return whether every required check is healthy."""
    return all(result.healthy for result in results if result.required)
