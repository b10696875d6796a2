"""The four priorities, and the interface of what chooses one when nobody did."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Literal, Protocol

from jobs.domain.errors import InvalidOption

PriorityName = Literal["critical", "high", "normal", "low"]


class Priority(IntEnum):
    """Strict: every ready job of a lower number is taken before any of a higher one."""

    CRITICAL = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3

    @property
    def label(self) -> str:
        """The name people and queues use: `critical`, `high`, `normal` or `low`."""
        return self.name.lower()

    @classmethod
    def parse(cls, value: "Priority | str | int") -> "Priority":
        """Return the priority of that name, in any case.

        Raises:
            InvalidOption: there is none.
        """
        if isinstance(value, Priority):
            return value
        if isinstance(value, str) and value.strip().upper() in cls.__members__:
            return cls[value.strip().upper()]
        if isinstance(value, int) and not isinstance(value, bool) and value in set(cls):
            return cls(value)
        names = ", ".join(priority.label for priority in cls)
        raise InvalidOption(f"priority {value!r} is unknown; use one of: {names}")


class PriorityDecider(Protocol):
    """Chooses a priority when the submission names none (`JOBS["PRIORITY_DECIDER"]`)."""

    def decide(self, job_type: str, params: Mapping[str, Any]) -> Priority | str | None:
        """Return the priority, or None for the job type's own.

        Called once a submission, in its transaction, so it must be quick. An exception is logged
        as a warning and the job type's own priority is used.
        """


def queue_name(queue: str, priority: Priority) -> str:
    """Return the Celery queue of a job: `high`, or `mail.high` for a type with a queue `mail`."""
    return f"{queue}.{priority.label}" if queue else priority.label
