"""A recorder that keeps what a job submits, as the engine would: once for each key."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from jobs import JobContext


@dataclass
class Submitted:
    """A `Submission` as a handler sees it."""

    job_id: UUID
    duplicate: bool = False


@dataclass
class Submissions:
    sent: dict[str, tuple[str, Any]] = field(default_factory=dict)
    percents: list[int] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def progress(self, _context: JobContext, percent: int, message: str) -> None:
        self.percents.append(percent)
        self.messages.append(message)

    def log(self, *_: Any) -> None:
        pass

    def check(self, _context: JobContext) -> None:
        pass

    def results(self, _context: JobContext) -> dict[UUID, Any]:
        return {}

    def submit(
        self, _context: JobContext, job_type: str, params: Any, options: dict[str, Any]
    ) -> Any:
        key = options["idempotency_key"]
        if key in self.sent:
            # The engine refuses a key that comes again with other parameters.
            assert self.sent[key] == (job_type, params)
            return Submitted(uuid4(), duplicate=True)
        self.sent[key] = (job_type, params)
        return Submitted(uuid4())

    @property
    def params(self) -> list[dict[str, Any]]:
        return [params for _, params in self.sent.values()]
