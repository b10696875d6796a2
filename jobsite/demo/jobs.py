"""The demo's job type: a call to a service that is down until someone repairs it."""

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
