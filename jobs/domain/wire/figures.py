"""What figures look like."""

from pydantic import BaseModel, Field


class Stats(BaseModel):
    """How many jobs there are."""

    total: int
    pending: int = Field(description="Not yet running.")
    processing: int
    completed: int
    failed: int
    cancelled: int
    waiting: int = Field(description="Ready.")
    active: int
    delayed: int
    by_state: dict[str, int]
    by_type: dict[str, dict[str, int]]
    by_queue: dict[str, dict[str, int]]
    average_run_seconds: dict[str, float] = Field(description="Of completed jobs, by type.")


class Depths(BaseModel):
    """How many jobs there are, in short."""

    waiting: int
    active: int
    completed: int
    failed: int
    delayed: int


class Spread(BaseModel):
    """How lengths of time are spread, in seconds; null where there are none."""

    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None


class TypePerformance(BaseModel):
    """How the newest jobs of a type did."""

    type: str
    sample: int = Field(description="Completed ones that were looked at.")
    run_seconds: Spread
    wait_seconds: Spread
    completed_last_hour: int
    failed_last_hour: int


class Metrics(BaseModel):
    """The figures of the moment."""

    total: Depths
    queues: dict[str, Depths]
    completed_last_minute: int
    success_ratio_last_hour: float | None = Field(
        description="Completed ones of those that ended; null if none did."
    )
    types: list[TypePerformance]
