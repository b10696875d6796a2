"""Ringing: saying through the back end that a queue has work."""

from collections.abc import Collection
from functools import cache
from typing import cast

from django.db import connection, transaction
from django.utils.module_loading import import_string

from jobs.conf import jobs_settings
from jobs.domain.errors import ConfigurationError
from jobs.domain.ports import Backend

BACKENDS = {
    "celery": "jobs.backends.celery.CeleryBackend",
    "immediate": "jobs.backends.immediate.ImmediateBackend",
    "memory": "jobs.backends.memory.MemoryBackend",
}


@cache
def _load(path: str) -> Backend:
    try:
        return cast(Backend, import_string(BACKENDS.get(path, path))())
    except ImportError as error:
        raise ConfigurationError(
            f'JOBS["BACKEND"] is {path!r}, which cannot be imported ({error}); use one of '
            f"{', '.join(BACKENDS)}, or the dotted path of a back end"
        ) from None


def backend() -> Backend:
    """Return the back end that the settings name."""
    return _load(jobs_settings().backend)


def ring(queues: Collection[str], *, anyone: bool = False) -> None:
    """Ring now, best effort.

    Args:
        queues: those with work.
        anyone: whoever is free is to hear it, whatever strategy chooses among workers.
    """
    if queues:
        backend().ring(queues, anyone=anyone)


def ring_after_commit(queue: str) -> None:
    """Ring once the transaction has committed, once a queue and transaction.

    A rolled-back transaction rings nothing.
    """
    if not backend().waits_for_commit:
        ring({queue})
        return
    if not connection.in_atomic_block:
        ring({queue})
        return
    pending = [
        each[1].queues
        for each in connection.run_on_commit
        if isinstance(each[1], _Ring) and each[0] == set(connection.savepoint_ids)
    ]
    if pending:
        pending[0].add(queue)
    else:
        transaction.on_commit(_Ring({queue}), robust=True)


class _Ring:
    """A ring that waits for its commit; more queues of the same transaction may join it."""

    __qualname__ = "_Ring"

    def __init__(self, queues: set[str]) -> None:
        self.queues = queues

    def __call__(self) -> None:
        ring(self.queues)


def waiting_rings(queues: Collection[str]) -> set[str] | None:
    """Return those queues for which a ring is on its way; None if that cannot be told."""
    return backend().waiting(queues)


def ping() -> None:
    """Do nothing if the broker answers.

    Raises:
        ConnectionError: it does not; the message says why, without its password.
    """
    backend().ping()
