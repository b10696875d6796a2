"""The capacity that suits this site: measured, planned, and held against what is set."""

import platform
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.core.signals import setting_changed
from django.db.models import F, Sum

from jobs.conf import jobs_settings
from jobs.domain.advice import Observed, QueueLoad, advice
from jobs.domain.capacity import Inputs, Plan, plan
from jobs.selectors.clock import database_now
from jobs.selectors.load import load
from jobs.selectors.machine import memory_bytes, usable_cores
from jobs.selectors.outages import OUTAGES
from jobs.selectors.queues import queues
from jobs.selectors.workers import live_workers

T = TypeVar("T")
#: What a slot is taken to need while no worker has told.
ASSUMED_SLOT_BYTES = 100 * 2**20
_REMEMBERED_SECONDS = 60.0


def inputs() -> Inputs:
    """Return what a plan for this machine and the whole site's load is made from."""
    now = database_now()
    found = load(now)
    return Inputs(
        cores=usable_cores(),
        memory_bytes=memory_bytes(),
        slot_bytes=_slot_bytes(),
        arrival_per_second=found.arrival_per_second,
        mean_run_seconds=found.mean_run_seconds,
        mean_params_bytes=found.mean_params_bytes,
        target_wait_seconds=jobs_settings().queue_wait_seconds,
    )


def observed() -> Observed:
    """Return what the site is at."""
    now = database_now()
    slots = dict(live_workers().values_list("host").annotate(Sum("concurrency")).order_by())
    return Observed(
        slots=sum(slots.values()),
        slots_here=slots.get(platform.node(), 0),
        queues=tuple(
            QueueLoad(
                name=queue.name,
                ready=queue.ready,
                oldest_seconds=(now - queue.oldest).total_seconds() if queue.oldest else 0,
                capacity=capacity_of(queue.name),
                is_paused=queue.paused_at is not None,
            )
            for queue in queues()
        ),
    )


def capacity_of(queue: str) -> int:
    """Return how many ready jobs the queue may hold; 0 for any number."""
    settings = jobs_settings()
    size = settings.queue_sizes.get(queue, settings.queue_size)
    return _planned().queue_size if size == "auto" else size


def resolved_workers() -> int | None:
    """Return how many slots a worker that starts now should have; None if `WORKERS` leaves it open.

    With the database away, `auto` is what a new site gets.
    """
    workers = jobs_settings().workers
    if workers != "auto":
        return workers or None
    try:
        return _planned().slots
    except OUTAGES:
        return plan(
            Inputs(cores=usable_cores(), memory_bytes=memory_bytes(), slot_bytes=ASSUMED_SLOT_BYTES)
        ).slots


def latest_advice() -> list[str]:
    """Return the advice as it was within the last minute."""
    return _remembered_advice.value()


def _advice() -> list[str]:
    measured = inputs()
    return advice(measured, plan(measured), observed())


def _slot_bytes() -> int:
    told = (
        live_workers()
        .filter(memory_bytes__gt=0)
        .aggregate(memory=Sum("memory_bytes"), processes=Sum(F("concurrency") + 1))
    )
    return round(told["memory"] / told["processes"]) if told["memory"] else ASSUMED_SLOT_BYTES


class _Remembered(Generic[T]):
    """A value that is found anew once it is a minute old."""

    def __init__(self, find: Callable[[], T]) -> None:
        self._find = find
        self._until = 0.0
        self._value: T

    def value(self) -> T:
        """Return it; while one thread finds it anew, others may do so too."""
        if time.monotonic() >= self._until:
            self._value = self._find()
            self._until = time.monotonic() + _REMEMBERED_SECONDS
        return self._value

    def forget(self) -> None:
        """Find it anew when it is asked for next."""
        self._until = 0.0


_remembered_plan: _Remembered[Plan] = _Remembered(lambda: plan(inputs()))
_remembered_advice: _Remembered[list[str]] = _Remembered(_advice)


def _planned() -> Plan:
    return _remembered_plan.value()


def forget() -> None:
    """Measure anew when it is asked for next."""
    _remembered_plan.forget()
    _remembered_advice.forget()


def _settings_changed(*, setting: str, **_: Any) -> None:
    if setting == "JOBS":
        forget()


setting_changed.connect(_settings_changed, dispatch_uid="jobs.selectors.capacity")
