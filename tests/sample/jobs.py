"""Job types that do one thing each, for the tests."""

import contextlib
import ctypes
import os
import select
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from jobs import (
    Backoff,
    Cancel,
    JobContext,
    PermanentError,
    Retry,
    Sensitive,
    Snooze,
    job_type,
)
from jobs.public import HookDelivery
from tests.sample import faults


class Empty(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Echo(BaseModel):
    model_config = ConfigDict(extra="forbid")
    value: Any = None


class Witness(BaseModel):
    """`path` is a file that every run appends a line to."""

    path: str
    label: str = ""
    seconds: float = 0


class Step(Witness):
    kind: str = ""


class Trouble(BaseModel):
    kind: str
    path: str = ""
    fail_times: int = 1_000_000


class Inner(BaseModel):
    start: int


class Nested(BaseModel):
    period: Inner


def _witness(path: str, label: str) -> int:
    """Append a line and return how many there are now."""
    with open(path, "a") as file:
        file.write(f"{label} {os.getpid()} {time.time()}\n")
    return len(Path(path).read_text().splitlines())


@job_type("sample.echo")
def echo(params: Echo, ctx: JobContext) -> Any:
    """Return what it was given."""
    return params.value


@job_type("sample.gathered")
def gathered(params: Empty, ctx: JobContext) -> list[Any]:
    """Return what it has waited for, and what that returned."""
    return [[str(job_id), result] for job_id, result in ctx.results().items()]


@job_type("sample.keyed", concurrency_per_key=1, concurrency_key=lambda params: params.label)
def keyed(params: Witness, ctx: JobContext) -> None:
    """Leave a line at the begin and at the end; one of each label at once."""
    _witness(params.path, f"{params.label}:begin")
    time.sleep(params.seconds)
    _witness(params.path, f"{params.label}:end")


@job_type("sample.unique", unique="active")
def unique(params: Echo, ctx: JobContext) -> Any:
    """Return what it was given; one with the same value at a time."""
    return params.value


class AboutBatch(BaseModel):
    batch_id: str
    moment: str = ""


@job_type("sample.about_batch")
def about_batch(params: AboutBatch, ctx: JobContext) -> str:
    """Return what it was told of a batch."""
    return params.moment


@job_type("sample.cached", result_ttl=timedelta(hours=1))
def cached(params: Echo, ctx: JobContext) -> Any:
    """Return what it was given; again for an hour without running."""
    return params.value


@job_type("sample.default")
def default(params: Empty, ctx: JobContext) -> None:
    """Fail, with every option as the site has it."""
    raise RuntimeError("it broke")


@job_type("sample.nested")
def nested(params: Nested, ctx: JobContext) -> int:
    """Take nested parameters."""
    return params.period.start


@job_type("sample.work", backoff=Backoff.fixed(timedelta(milliseconds=100), jitter="none"))
def work(params: Witness, ctx: JobContext) -> dict[str, Any]:
    """Leave a line in a file, then take some time, reporting progress."""
    _witness(params.path, params.label)
    ends = time.monotonic() + params.seconds
    while time.monotonic() < ends:
        ctx.progress(100 * (1 - (ends - time.monotonic()) / params.seconds), "working")
        time.sleep(0.02)
    return {"label": params.label, "attempt": ctx.attempt}


@job_type("sample.silent", backoff=Backoff.fixed(timedelta(milliseconds=100), jitter="none"))
def silent(params: Witness, ctx: JobContext) -> str:
    """Work without a report; leave a line at the begin, and one that says how it ended."""
    _witness(params.path, f"{params.label}:begin")
    faults.at("mid_run")
    try:
        ends = time.monotonic() + params.seconds
        while time.monotonic() < ends:
            # Not `time.sleep`, which a clock that libfaketime sets makes fail.
            select.select([], [], [], min(0.05, params.seconds))
    except Exception as error:
        _witness(params.path, f"{params.label}:{type(error).__name__}")
        raise
    _witness(params.path, f"{params.label}:effect")
    faults.at("after_effect")
    return params.label


@job_type(
    "sample.step",
    timeout=timedelta(seconds=30),
    backoff=Backoff.fixed(timedelta(milliseconds=100), jitter="none"),
)
def step(params: Step, ctx: JobContext) -> Any:
    """Be quick, unless told otherwise: many share a take, whatever one of them does."""
    with open(params.path, "a") as file:
        file.write(f"{params.label}:begin {os.getpid()}\n")
    match params.kind:
        case "segfault":
            ctypes.string_at(0)
        case "slow":
            time.sleep(params.seconds)
        case "unstorable":
            return object()
    with open(params.path, "a") as file:
        file.write(f"{params.label}:effect {os.getpid()}\n")
    return params.label


@job_type("sample.deaf_to_orders", max_attempts=1)
def deaf_to_orders(params: Witness, ctx: JobContext) -> None:
    """Swallow every exception, an order to stop too."""
    _witness(params.path, params.label)
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        with contextlib.suppress(Exception):
            time.sleep(60)


@job_type("sample.segfault", backoff=Backoff.fixed(timedelta(milliseconds=100), jitter="none"))
def segfault(params: Witness, ctx: JobContext) -> None:
    """Die as broken C code does."""
    _witness(params.path, params.label)
    ctypes.string_at(0)


@job_type("sample.hog", backoff=Backoff.fixed(timedelta(milliseconds=100), jitter="none"))
def hog(params: Witness, ctx: JobContext) -> int:
    """Take more and more memory."""
    _witness(params.path, params.label)
    held = []
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        held.append(bytearray(8 * 2**20))
        time.sleep(0.02)
    return len(held)


@job_type("sample.own_queue", queue="sample")
def own_queue(params: Witness, ctx: JobContext) -> None:
    """Work in a queue of its own."""
    _witness(params.path, params.label)


@job_type("sample.stubborn", timeout=timedelta(seconds=1), max_attempts=1)
def stubborn(params: Witness, ctx: JobContext) -> None:
    """Swallow every exception for a long time, the soft timeout too."""
    _witness(params.path, params.label)
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        with contextlib.suppress(Exception):
            time.sleep(60)


@job_type("sample.sleepy", timeout=timedelta(seconds=1), max_attempts=1, retry_on_timeout=False)
def sleepy(params: Witness, ctx: JobContext) -> None:
    """Sleep past the timeout."""
    _witness(params.path, params.label)
    time.sleep(60)


@job_type(
    "sample.trouble",
    max_attempts=3,
    backoff=Backoff.fixed(timedelta(milliseconds=50), jitter="none"),
    permanent_errors=(LookupError,),
)
def trouble(params: Trouble, ctx: JobContext) -> Any:  # noqa: C901 - one branch an ending
    """End in every way there is, `fail_times` times, then well."""
    if params.path and _witness(params.path, params.kind) > params.fail_times:
        return "recovered"
    match params.kind:
        case "error":
            raise RuntimeError("it broke")
        case "permanent":
            raise PermanentError("no use")
        case "listed":
            raise KeyError("declared as permanent")
        case "retry":
            raise Retry("the other side is busy", after=timedelta(milliseconds=200))
        case "snooze":
            raise Snooze(timedelta(milliseconds=100), "not yet")
        case "cancel":
            raise Cancel("pointless by now")
        case "exit":
            raise SystemExit(3)
        case "unstorable":
            return object()
        case "nan":
            return float("nan")
        case "large":
            return "x" * 300_000
        case "nul":
            return "a\0b"
        case "false":
            return {"success": False, "error": "said no"}
        case "crash":
            os.kill(os.getpid(), 9)
    return None


class Card(BaseModel):
    number: Sensitive[str]
    note: str = ""


class Charge(BaseModel):
    model_config = ConfigDict(extra="forbid")
    customer: int
    token: Sensitive[str]
    cards: list[Card] = []
    spare: Sensitive[str] | None = None


@job_type("sample.charge", backoff=Backoff.fixed(timedelta(0), jitter="none"))
def charge(params: Charge, ctx: JobContext) -> dict[str, Any]:
    """Tell how long the secrets are, and nothing else of them."""
    ctx.log("charging", customer=params.customer)
    return {"token": len(params.token), "cards": [len(card.number) for card in params.cards]}


@job_type("sample.hooked")
def hooked(params: HookDelivery, ctx: JobContext) -> str:
    """Tell what a webhook said."""
    return params.event


@job_type("sample.parent")
def parent(params: Empty, ctx: JobContext) -> str:
    """Submit a job that this one leads to."""
    return str(ctx.submit("sample.echo", {"value": "child"}).job_id)


@job_type("sample.chatty")
def chatty(params: Empty, ctx: JobContext) -> None:
    """Write to the job's own log."""
    ctx.log("hello", answer=42)
    ctx.progress(50, "half")
    ctx.progress(20, "never back")


@job_type("sample.paced")
def paced(params: Witness, ctx: JobContext) -> str:
    """Take some time; leave a line at the begin and one at the end."""
    _witness(params.path, f"{params.label}:begin")
    time.sleep(params.seconds)
    _witness(params.path, f"{params.label}:end")
    return params.label


@job_type("sample.limited", concurrency=2)
def limited(params: Witness, ctx: JobContext) -> str:
    """Do the same beside no more than one other of this kind."""
    return str(paced(params, ctx))
