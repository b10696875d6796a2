"""The client: one method for each thing that programs do."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

from pydantic import BaseModel, TypeAdapter
from pydantic_core import to_jsonable_python

from jobs.client.errors import JobFailed, WaitedTooLong
from jobs.client.events import Event, follow
from jobs.client.transport import Transport
from jobs.domain import wire
from jobs.domain.states import FINAL, State

_FIRST_LOOK = timedelta(milliseconds=50)
_LONGEST_LOOK = timedelta(seconds=2)


class Client:
    """A site, seen by the holder of a key; for any number of threads. Close it, or use `with`."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: timedelta = timedelta(seconds=10),
        tries: int = 4,
    ) -> None:
        """Make it; nothing is sent yet.

        Args:
            url: the site's, such as `https://jobs.example.org`; http only on this machine.
            key: an API key, or a token.
            timeout: of one request.
            tries: how often a request that can do no harm twice is tried before it is given up.

        Raises:
            ValueError: the address cannot be used.
        """
        self._transport = Transport(url, key, timeout=timeout, tries=max(1, tries))

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def submit(
        self,
        job_type: str,
        params: BaseModel | Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        **options: Any,
    ) -> wire.Accepted:
        """Submit a job; once this returned, it cannot be lost.

        A request without an answer is sent again, with the same key: it makes one job.

        Args:
            job_type: the name of a job type.
            params: its parameters.
            idempotency_key: a second submission with the same one finds the first one's job; None:
                one that nobody else has.
            **options: `priority`, `queue`, `delay`, `run_at`, `max_attempts`, `timeout`,
                `expires_in`, `tags`, `tenant` and so on: lengths of time as `timedelta`, or in
                seconds as `delay_seconds` and so on.

        Raises:
            Refused: the parameters or an option are wrong.
            TooMany: its queue is full, or the key has submitted too many.
            ApiError: see `jobs.client.errors`.
        """
        body = _submission(job_type, params, options)
        key = idempotency_key or f"client:{uuid4()}"
        told = self._transport.send(
            "POST", "/jobs", body=body, headers={"Idempotency-Key": key}, repeatable=True
        )
        return wire.Accepted.model_validate(told)

    def submit_many(self, jobs: Sequence[Mapping[str, Any]]) -> wire.BulkAccepted:
        """Submit many jobs; one that cannot be accepted is named by its place in `errors`.

        Args:
            jobs: each with `type`, `params` and options, as `submit` takes them. Give each an
                `idempotency_key` to be able to repeat the call.

        Raises:
            ApiError: none of them was accepted.
        """
        prepared = [dict(job) for job in jobs]
        body = [_submission(job.pop("type"), job.pop("params", None), job) for job in prepared]
        repeatable = all("idempotency_key" in job for job in body)
        told = self._transport.send(
            "POST", "/jobs/bulk", body={"jobs": body}, repeatable=repeatable
        )
        return wire.BulkAccepted.model_validate(told)

    def get(self, job_id: UUID | str) -> wire.WholeJob:
        """Return a job with its attempts, its timeline and its log."""
        return wire.WholeJob.model_validate(self._transport.send("GET", f"/jobs/{job_id}"))

    def wait(self, job_id: UUID | str, *, timeout: timedelta = timedelta(hours=1)) -> wire.WholeJob:
        """Wait until a job has completed, and return it.

        Raises:
            JobFailed: it failed, or was cancelled.
            WaitedTooLong: it has not ended within the timeout.
        """
        until = time.monotonic() + timeout.total_seconds()
        pause = _FIRST_LOOK
        while (job := self.get(job_id)).state not in FINAL:
            if time.monotonic() >= until:
                raise WaitedTooLong(f"job {job_id} is {job.state} after {timeout}", job)
            time.sleep(min(pause.total_seconds(), max(0.0, until - time.monotonic())))
            pause = min(pause * 1.5, _LONGEST_LOOK)
        if job.state != State.COMPLETED:
            why = job.error or job.failure_reason or job.state
            raise JobFailed(f"job {job_id} is {job.state}: {why}", job)
        return job

    def jobs(self, **filters: Any) -> Iterator[wire.Job]:
        """Yield the jobs that match, page after page, newest first unless `sort` says otherwise.

        Args:
            **filters: as the API takes them: `state`, `type`, `queue`, `tag` and so on.
        """
        yield from self._pages("/jobs", wire.Job, filters)

    def cancel(self, job_id: UUID | str) -> wire.Job:
        """Cancel a job: at once while it waits, in a few seconds while it runs."""
        told = self._transport.send("POST", f"/jobs/{job_id}/cancel", repeatable=True)
        return wire.Job.model_validate(told)

    def retry(self, job_id: UUID | str) -> wire.Job:
        """Queue a failed or cancelled job again."""
        return wire.Job.model_validate(self._transport.send("POST", f"/jobs/{job_id}/retry"))

    def events(self, *names: str, since: str | None = None, **filters: Any) -> Iterator[Event]:
        """Yield each event as it happens, for ever; a connection that ends is made again.

        Args:
            *names: such as `job.completed`; none: all.
            since: the last event known; `0`: all that is still kept; None: only from now on.
            **filters: `type` and `job_id`.
        """
        return follow(self._transport, names=names, since=since, **filters)

    def dead_letters(self, **filters: Any) -> Iterator[wire.Job]:
        """Yield the jobs that failed for good, those that failed last first."""
        yield from self._pages("/dead-letters", wire.Job, filters)

    def retry_dead_letters(self, **filters: Any) -> int:
        """Queue the dead letters again that match, and return how many; `all=True`: all of them."""
        return self._change("/dead-letters/retry", filters)

    def purge_dead_letters(self, **filters: Any) -> int:
        """Remove the dead letters that match, and return how many; `all=True`: all of them."""
        return self._change("/dead-letters/purge", filters)

    def queues(self) -> list[wire.Queue]:
        """Return every queue, in the order of taking."""
        told = self._transport.send("GET", "/queues")
        return TypeAdapter(list[wire.Queue]).validate_python(told)

    def pause(self, queue: str) -> list[str]:
        """Have no job of the queue taken any more; return the queues that were changed."""
        told = self._transport.send("POST", f"/queues/{queue}/pause", repeatable=True)
        return wire.Steered.model_validate(told).queues

    def resume(self, queue: str) -> list[str]:
        """Have the queue's jobs taken again; return the queues that were changed."""
        told = self._transport.send("POST", f"/queues/{queue}/resume", repeatable=True)
        return wire.Steered.model_validate(told).queues

    def schedules(self, **filters: Any) -> Iterator[wire.Schedule]:
        """Yield the schedules that match."""
        yield from self._pages("/jobs/schedules", wire.Schedule, filters)

    def trigger(self, schedule_id: int) -> wire.Accepted:
        """Run a schedule's job now; its next occurrence stays as it is."""
        told = self._transport.send("POST", f"/jobs/schedules/{schedule_id}/trigger")
        return wire.Accepted.model_validate(told)

    def workers(self) -> list[wire.Worker]:
        """Return the workers that have not left, the newest first."""
        told = self._transport.send("GET", "/jobs/workers")
        return TypeAdapter(list[wire.Worker]).validate_python(told)

    def types(self) -> list[wire.JobType]:
        """Return every job type, with the JSON Schema of its parameters."""
        told = self._transport.send("GET", "/jobs/types")
        return TypeAdapter(list[wire.JobType]).validate_python(told)

    def stats(self) -> wire.Stats:
        """Return how many jobs there are by state, type and queue."""
        return wire.Stats.model_validate(self._transport.send("GET", "/jobs/stats"))

    def _pages(self, path: str, kind: Any, filters: Mapping[str, Any]) -> Iterator[Any]:
        query = {name: to_jsonable_python(value) for name, value in filters.items()}
        while True:
            told = self._transport.send("GET", path, query=query)
            yield from TypeAdapter(list[kind]).validate_python(told["items"])
            if told["next"] is None:
                return
            query["cursor"] = told["next"]

    def _change(self, path: str, filters: Mapping[str, Any]) -> int:
        body = {
            name: to_jsonable_python(value) for name, value in filters.items() if value is not None
        }
        count = 0
        while True:
            changed = wire.Changed.model_validate(self._transport.send("POST", path, body=body))
            count += changed.count
            if not changed.left:
                return count


def _submission(
    job_type: str, params: BaseModel | Mapping[str, Any] | None, options: Mapping[str, Any]
) -> dict[str, Any]:
    given = params.model_dump(mode="json") if isinstance(params, BaseModel) else dict(params or {})
    body: dict[str, Any] = {"type": job_type, "params": given}
    for name, value in options.items():
        if isinstance(value, timedelta):
            body[f"{name}_seconds"] = value.total_seconds()
        elif value is not None:
            body[name] = to_jsonable_python(value)
    return body
