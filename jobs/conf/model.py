"""Every setting of the engine, with its default and its range."""

from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from jobs.domain.backoff import Backoff, Jitter, Kind
from jobs.domain.balancing import Strategy
from jobs.domain.priority import Priority
from jobs.domain.profiles import ProfileName
from jobs.domain.scaling import Bounds
from jobs.domain.states import FINAL, State

DEFAULT_MIDDLEWARE = [
    "jobs.runtime.middleware.logging.LoggingMiddleware",
    "jobs.runtime.middleware.metrics.MetricsMiddleware",
    "jobs.runtime.middleware.breaker.BreakerMiddleware",
    "jobs.runtime.middleware.retries.RetriesMiddleware",
    "jobs.runtime.middleware.timeout.TimeoutMiddleware",
]
DEFAULT_WEIGHTS = {"critical": 8, "high": 4, "normal": 2, "low": 1}
Seconds = Annotated[float, Field(ge=0, le=366 * 86_400)]
PositiveSeconds = Annotated[float, Field(gt=0, le=366 * 86_400)]


def _final(state: str) -> str:
    if state not in FINAL:
        raise PydanticCustomError("final_state", "must be completed, failed or cancelled")
    return state


def _count_or_auto(most: int) -> BeforeValidator:
    def check(value: Any) -> Any:
        text = str(value)
        if text == "auto":
            return text
        if text.isascii() and text.isdigit() and int(text) <= most:
            return int(text)
        raise PydanticCustomError(
            "count_or_auto", "must be a whole number from 0 to {most}, or auto", {"most": most}
        )

    return BeforeValidator(check)


FinalState = Annotated[State, BeforeValidator(_final)]
Jobs = Annotated[int | Literal["auto"], _count_or_auto(1_000_000_000)]
Slots = Annotated[int | Literal["auto"], _count_or_auto(1000)]


class JobsSettings(BaseModel):
    """Every setting of the engine, checked at start; each name says its unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: A set of values for one kind of work, below whatever else is set; empty: none.
    profile: ProfileName | Literal[""] = ""
    #: `celery`, `immediate` (inline), `memory` (in this process), or a dotted path.
    backend: str = "celery"
    redis_url: str = ""
    #: The chain around each handler, outermost first.
    middleware: list[str] = Field(default_factory=lambda: list(DEFAULT_MIDDLEWARE))
    #: Dotted path of a `PriorityDecider`; empty for none.
    priority_decider: str = ""
    #: Who chooses the worker that a bell wakes: `pull`: whichever hears it first.
    balancing: Strategy = "pull"

    max_attempts: int = Field(default=4, ge=1, le=1000)
    timeout_seconds: PositiveSeconds = 600
    #: How long after the soft timeout, an exception in the handler, the process is killed.
    timeout_grace_seconds: PositiveSeconds = 3
    backoff_kind: Kind = "exponential"
    backoff_base_seconds: Seconds = 2
    backoff_cap_seconds: Seconds = 300
    backoff_factor: float = Field(default=2, ge=1, le=100)
    backoff_jitter: Jitter = "full"

    #: How often due jobs are looked for.
    scheduler_tick_ms: int = Field(default=50, ge=5, le=100)
    #: How often the timekeeper rings again for work that nobody has taken.
    poll_interval_ms: int = Field(default=1000, ge=100, le=60_000)
    #: Ready jobs that one statement takes, at most; slow ones are taken one by one all the same.
    batch_size: int = Field(default=100, ge=1, le=1000)
    #: How long what is taken together should keep its process busy; the rest is given back.
    take_budget_ms: int = Field(default=50, ge=1, le=250)
    #: How the next jobs are chosen: `strict` by priority, or `weighted`.
    order: Literal["strict", "weighted"] = "strict"
    #: Of every so many takes each priority's share, by the weighted order.
    order_weights: dict[str, int] = Field(default_factory=lambda: dict(DEFAULT_WEIGHTS))
    #: What has waited for longer is served by every other take, whatever its priority; 0: never.
    ageing_seconds: Seconds = 0
    #: Jobs that run at once on all workers together; 0: as many as there are slots.
    max_concurrent_jobs: int = Field(default=50, ge=0)
    #: Jobs of single queues that run at once, as `{"mail.low": 2}`.
    queue_concurrency: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    #: How long what was taken together may wait behind one that is slower than its kind ever was,
    #: before it is handed to others. More than a take's whole time.
    batch_timeout_seconds: float = Field(default=0.5, ge=0.5, le=60)
    lease_seconds: float = Field(default=30, ge=1, le=3600)
    #: Slots of one worker, which scales between them; 0 and 0: as many as it was started with.
    min_workers: int = Field(default=0, ge=0, le=1000)
    max_workers: int = Field(default=0, ge=0, le=1000)
    #: How often a worker that scales looks at its backlog.
    scale_interval_seconds: float = Field(default=5, ge=0.5, le=3600)
    #: The time in which a backlog should be drained: a larger one makes a worker grow.
    scale_wait_seconds: PositiveSeconds = 10
    #: The `WorkerProfile` of this host's workers; empty: the one of each worker's own name.
    worker_profile: str = ""
    #: Failures of an outside service within the window after which jobs leave it alone; 0: never.
    breaker_failures: int = Field(default=5, ge=0, le=100_000)
    breaker_window_seconds: PositiveSeconds = 60
    #: After which one job tries the service again.
    breaker_open_seconds: PositiveSeconds = 30
    #: Deaths of the worker in a row after which a job is dead.
    max_losses: int = Field(default=3, ge=1, le=100)
    #: How long after the request a running job that does not report is interrupted.
    cancel_grace_seconds: Seconds = 2
    #: A child that has grown beyond this is replaced after its job; 0: never.
    max_memory_mb: int = Field(default=0, ge=0, le=10_000_000)
    #: A child that grows beyond this is killed, and its job counts as lost; 0: never.
    kill_memory_mb: int = Field(default=0, ge=0, le=10_000_000)
    progress_interval_seconds: Seconds = 1

    #: Slots of a worker; 0: as many as Celery starts; `auto`: as many as `jobs autotune` finds.
    workers: Slots = 0
    #: Ready jobs that each queue holds, at most; 0: any number; `auto`: as `jobs autotune` finds.
    queue_size: Jobs = 0
    #: The same for single queues, by the names that Celery knows them by: `low`, `mail.high`.
    queue_sizes: dict[str, Jobs] = Field(default_factory=dict)
    #: How long a job should wait in a queue at most: what `auto` and the advice go by.
    queue_wait_seconds: PositiveSeconds = 60

    max_params_bytes: int = Field(default=256 * 1024, ge=1024)
    max_result_bytes: int = Field(default=256 * 1024, ge=1024)
    max_log_lines: int = Field(default=1000, ge=0)

    #: Jobs that one key may submit in a minute, unless it has a limit of its own; 0: any number.
    api_submissions_per_minute: int = Field(default=12_000, ge=0, le=1_000_000_000)

    #: Streams of events that one web process has open at once: each holds a thread.
    api_streams: int = Field(default=4, ge=0, le=10_000)
    #: After which a stream ends, and its reader comes again.
    api_stream_seconds: float = Field(default=300, ge=0, le=86_400)

    metrics: bool = True
    #: Events kept on the Redis stream; 0 turns the stream off.
    event_stream_length: int = Field(default=10_000, ge=0)

    retention_completed_seconds: Seconds = 86_400
    retention_cancelled_seconds: Seconds = 86_400
    retention_failed_seconds: Seconds = 30 * 86_400
    #: Retention of single job types, as `{"type": {"completed": seconds}}`.
    retention_by_type: dict[str, dict[FinalState, Seconds]] = Field(default_factory=dict)

    @cached_property
    def backoff(self) -> Backoff:
        """The site's back-off."""
        return Backoff(
            kind=self.backoff_kind,
            base=timedelta(seconds=self.backoff_base_seconds),
            cap=timedelta(seconds=self.backoff_cap_seconds),
            factor=self.backoff_factor,
            jitter=self.backoff_jitter,
        )

    @field_validator("order_weights")
    @classmethod
    def _all_weights(cls, weights: dict[str, int]) -> dict[str, int]:
        names = [priority.label for priority in Priority]
        if sorted(weights) != sorted(names) or not all(0 < of <= 1000 for of in weights.values()):
            raise PydanticCustomError(
                "weights", f"must give each of {', '.join(names)} a weight from 1 to 1000"
            )
        return weights

    @cached_property
    def shares(self) -> dict[Priority, int]:
        """The weights of the priorities."""
        return {Priority.parse(name): weight for name, weight in self.order_weights.items()}

    @cached_property
    def timeout(self) -> timedelta:
        """The site's timeout of one attempt."""
        return timedelta(seconds=self.timeout_seconds)

    @cached_property
    def timeout_grace(self) -> timedelta:
        """How long after its timeout a handler that ignores it is killed."""
        return timedelta(seconds=self.timeout_grace_seconds)

    @cached_property
    def scaling(self) -> Bounds | None:
        """Between how many slots a worker scales; None: it does not."""
        if not self.min_workers and not self.max_workers:
            return None
        return Bounds(max(self.min_workers, 1), self.max_workers)

    @cached_property
    def bounds_queues(self) -> bool:
        """Whether any queue may be full."""
        return any([self.queue_size, *self.queue_sizes.values()])

    @cached_property
    def lease(self) -> timedelta:
        """How long a worker is believed alive after its last sign."""
        return timedelta(seconds=self.lease_seconds)
