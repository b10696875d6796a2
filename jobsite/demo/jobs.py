"""The demo's job types: a call to a service that is down, and one that keeps a process busy."""

import time
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from jobs import Backoff, JobContext, job_type


class CallParams(BaseModel):
    """The file whose presence means that the service is up again."""

    model_config = ConfigDict(extra="forbid")

    repaired: Path


@job_type(
    "demo.call_service",
    priority="high",
    max_attempts=3,
    backoff=Backoff.exponential(base=timedelta(milliseconds=400), jitter="none"),
)
def call_service(params: CallParams, ctx: JobContext) -> dict[str, str]:
    """Call a service that is down until someone repairs it."""
    ctx.log("calling the service", attempt_number=ctx.attempt)
    ctx.progress(50, "calling")
    if not params.repaired.exists():
        raise ConnectionRefusedError("the billing service refused the connection")
    return {"answer": "paid"}


class OccupyParams(BaseModel):
    """The file whose presence ends the work."""

    model_config = ConfigDict(extra="forbid")

    until: Path


@job_type("demo.occupy", priority="critical", timeout=timedelta(minutes=2))
def occupy(params: OccupyParams, ctx: JobContext) -> None:
    """Keep one of the worker's processes busy until a file is there."""
    while not params.until.exists():
        ctx.check()
        time.sleep(0.05)
