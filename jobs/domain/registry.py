"""The job types of this process, by name."""

import difflib
import inspect
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from jobs.domain.backoff import Backoff
from jobs.domain.context import Handler
from jobs.domain.errors import ConfigurationError, UnknownJobType
from jobs.domain.job_types import JobType, params_model_of
from jobs.domain.priority import Priority, queue_name
from jobs.domain.unique import Unique


class Registry:
    """Job types by name."""

    def __init__(self) -> None:
        self._types: dict[str, JobType] = {}
        self._concurrencies: dict[str, int] = {}
        self._concurrencies_per_key: dict[str, int] = {}

    def add(self, job_type: JobType) -> None:
        """Add a type; the same declaration may come twice (a module imported again).

        Raises:
            ConfigurationError: another handler has that name already.
        """
        known = self._types.get(job_type.name)
        if known is not None and _place(known.handler) != _place(job_type.handler):
            raise ConfigurationError(
                f"job type {job_type.name} is declared twice, in {_place(known.handler)} and in "
                f"{_place(job_type.handler)}; rename one"
            )
        self._types[job_type.name] = job_type
        if job_type.concurrency is not None:
            self._concurrencies[job_type.name] = job_type.concurrency
        if job_type.concurrency_per_key is not None:
            self._concurrencies_per_key[job_type.name] = job_type.concurrency_per_key

    def get(self, name: str) -> JobType:
        """Return the type of that name.

        Raises:
            UnknownJobType: there is none; the message suggests what may have been meant.
        """
        found = self._types.get(name) if isinstance(name, str) else None
        if found is None:
            close = difflib.get_close_matches(str(name), self._types, n=1)
            hint = f"did you mean {close[0]!r}?" if close else "see `manage.py jobs types`"
            raise UnknownJobType(f"job type {name!r} is not registered; {hint}")
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._types

    def __iter__(self) -> Iterator[JobType]:
        return iter(sorted(self._types.values(), key=lambda each: each.name))

    def queues(self) -> list[str]:
        """Return the names of the queues that types have to themselves, sorted."""
        return sorted({each.queue for each in self if each.queue})

    def celery_queues(self) -> list[str]:
        """Return the names of all Celery queues that jobs can be in, the most urgent first."""
        return list(self.priorities_of_queues())

    def concurrencies(self) -> dict[str, int]:
        """Return how many jobs of a type may run at once, for those types that limit it."""
        return self._concurrencies

    def concurrencies_per_key(self) -> dict[str, int]:
        """Return how many jobs of a type with one key may run at once, for types with keys."""
        return self._concurrencies_per_key

    def priorities_of_queues(self) -> dict[str, Priority]:
        """Return the priority of the jobs in each Celery queue, the most urgent first."""
        owned = ["", *self.queues()]
        return {queue_name(own, priority): priority for priority in Priority for own in owned}


def _place(handler: Handler) -> str:
    return f"{handler.__module__}.{getattr(handler, '__qualname__', handler)}"


#: The one registry: filled at start from the `jobs` module of every installed app.
registry = Registry()


def job_type(
    name: str,
    *,
    queue: str = "",
    priority: Priority | str = Priority.NORMAL,
    max_attempts: int | None = None,
    timeout: timedelta | None = None,
    backoff: Backoff | None = None,
    permanent_errors: tuple[type[BaseException], ...] = (),
    retry_on_timeout: bool = True,
    expires_in: timedelta | None = None,
    concurrency: int | None = None,
    unique: Unique | None = None,
    result_ttl: timedelta | None = None,
    concurrency_per_key: int | None = None,
    concurrency_key: Callable[[Any], str] | None = None,
    service: str | Callable[[Any], str] = "",
    description: str = "",
) -> Callable[[Handler], JobType]:
    """Declare the decorated `handler(params, ctx)` as a job type.

    The parameters' model is the annotation of `params`, a pydantic model. See `JobType` for the
    options. What the handler returns is stored as the result; what it raises is retried by the
    back-off, but for the outcomes in `jobs.domain.outcomes`.

    Raises:
        ConfigurationError: the name, an option or the handler's signature is wrong, or the name
            is taken.
    """

    def declare(handler: Handler) -> JobType:
        declared = JobType(
            name=name,
            handler=handler,
            params_model=params_model_of(name, handler),
            queue=queue,
            priority=Priority.parse(priority),
            max_attempts=max_attempts,
            timeout=timeout,
            backoff=backoff,
            permanent_errors=permanent_errors,
            retry_on_timeout=retry_on_timeout,
            expires_in=expires_in,
            concurrency=concurrency,
            unique=unique,
            result_ttl=result_ttl,
            concurrency_per_key=concurrency_per_key,
            concurrency_key=concurrency_key,
            service=service,
            description=description or (inspect.getdoc(handler) or "").partition("\n")[0],
        )
        registry.add(declared)
        return declared

    return declare
