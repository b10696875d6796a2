"""The engine's settings: `JOBS` in Django's settings, overridden by `JOBSITE_…` in the environment.

`manage.py jobs config` prints each with its value and where it came from.
"""

import os
from datetime import timedelta
from functools import cache, cached_property
from typing import Annotated, Any, Literal, get_origin

from django.conf import settings
from django.core.signals import setting_changed
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError, from_json

from jobs.domain.backoff import Backoff, Jitter, Kind
from jobs.domain.balancing import Strategy
from jobs.domain.errors import ConfigurationError
from jobs.domain.priority import Priority
from jobs.domain.states import FINAL, State

PREFIX = "JOBSITE_"
BACKENDS = {
    "celery": "jobs.backends.celery.CeleryBackend",
    "immediate": "jobs.backends.immediate.ImmediateBackend",
    "memory": "jobs.backends.memory.MemoryBackend",
}
DEFAULT_MIDDLEWARE = [
    "jobs.runtime.middleware.logging.LoggingMiddleware",
    "jobs.runtime.middleware.metrics.MetricsMiddleware",
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


FinalState = Annotated[State, BeforeValidator(_final)]


class JobsSettings(BaseModel):
    """Every setting of the engine, checked at start; each name says its unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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
    lease_seconds: float = Field(default=30, ge=1, le=3600)
    #: Deaths of the worker in a row after which a job is dead.
    max_losses: int = Field(default=3, ge=1, le=100)
    #: How long after the request a running job that does not report is interrupted.
    cancel_grace_seconds: Seconds = 2
    #: A child that has grown beyond this is replaced after its job; 0: never.
    max_memory_mb: int = Field(default=0, ge=0, le=10_000_000)
    #: A child that grows beyond this is killed, and its job counts as lost; 0: never.
    kill_memory_mb: int = Field(default=0, ge=0, le=10_000_000)
    progress_interval_seconds: Seconds = 1

    max_params_bytes: int = Field(default=256 * 1024, ge=1024)
    max_result_bytes: int = Field(default=256 * 1024, ge=1024)
    max_log_lines: int = Field(default=1000, ge=0)

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
    def lease(self) -> timedelta:
        """How long a worker is believed alive after its last sign."""
        return timedelta(seconds=self.lease_seconds)


def _from_environment() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, field in JobsSettings.model_fields.items():
        text = os.environ.get(PREFIX + name.upper())
        if text is None:
            continue
        kind = get_origin(field.annotation)
        try:
            found[name] = from_json(text) if kind in (list, dict) else text
        except (ValueError, PydanticCustomError):
            example = '["…", "…"]' if kind is list else '{"…": …}'
            raise ConfigurationError(
                f"{PREFIX}{name.upper()} is not JSON: {text!r}; write {example}"
            ) from None
    return found


def sources() -> dict[str, str]:
    """Return where each setting's value comes from: `environment`, `settings` or `default`."""
    environment = _from_environment()
    declared = {name.lower() for name in getattr(settings, "JOBS", {})}
    found = dict.fromkeys(JobsSettings.model_fields, "default")
    found.update({name: "settings" for name in found if name in declared})
    found.update({name: "environment" for name in found if name in environment})
    return found


@cache
def jobs_settings() -> JobsSettings:
    """Return the settings, read once.

    Raises:
        ConfigurationError: a value is wrong or a name unknown; the message says which and where.
    """
    environment = _from_environment()
    declared = {name.lower(): value for name, value in getattr(settings, "JOBS", {}).items()}
    try:
        loaded = JobsSettings(**{**declared, **environment})
        loaded.backoff  # noqa: B018 - base and cap are checked against each other
    except ValidationError as error:
        lines = []
        for one in error.errors(include_url=False):
            name, *path = (str(part) for part in one["loc"])
            named = (
                f"{PREFIX}{name.upper()} in the environment"
                if name in environment
                else f'JOBS["{name.upper()}"]'
            )
            if path:
                named += f" at {'.'.join(part for part in path if part != '[key]')}"
            lines.append(f"{named} is {one['input']!r}: {one['msg']}")
        raise ConfigurationError("; ".join(lines)) from None
    return loaded


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "JOBS":
        jobs_settings.cache_clear()


setting_changed.connect(_forget, dispatch_uid="jobs.conf")
