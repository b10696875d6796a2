"""Jobs that cost nothing but what the engine costs, and jobs that take a known time."""

import time

from pydantic import BaseModel

from benchmarks.peers.record import record as write_down
from jobs import JobContext, job_type


class Numbered(BaseModel):
    """A parameter, as most jobs have one."""

    n: int = 0


class Timed(BaseModel):
    """How long to work."""

    milliseconds: float


class Sent(BaseModel):
    """When it was submitted, in seconds since 1970."""

    sent: float


@job_type("bench.noop")
def noop(params: Numbered, ctx: JobContext) -> None:
    """Do nothing."""


@job_type("bench.work")
def work(params: Timed, ctx: JobContext) -> None:
    """Take so long."""
    time.sleep(params.milliseconds / 1000)


@job_type("bench.record")
def record(params: Sent, ctx: JobContext) -> None:
    """Do nothing but say so."""
    write_down(params.sent)
