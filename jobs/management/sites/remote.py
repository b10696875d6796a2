"""Another site, over HTTP, as the holder of a key."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from typing import Any, Final
from uuid import UUID

from jobs.client import ApiError, Client
from jobs.domain import wire
from jobs.domain.errors import ConfigurationError, JobNotFound, ScheduleNotFound
from jobs.domain.options import SubmitOptions
from jobs.selectors.event_stream import NEWEST

#: Where the address and the key are found if they are not given.
URL_VARIABLE: Final = "JOBS_URL"
KEY_VARIABLE: Final = "JOBS_KEY"
#: What the API calls the filters of a list.
_FILTERS: Final = {"job_type": "type"}


class RemoteSite:
    """A site that answers over HTTP."""

    is_here = False
    pause = timedelta(seconds=0.5)

    def __init__(self, client: Client) -> None:
        self._client = client

    def submit(
        self, job_type: str, params: dict[str, Any], options: SubmitOptions
    ) -> wire.Accepted:
        """Submit a job."""
        return self._client.submit(job_type, params, **options)

    def trigger(self, schedule: str) -> wire.Accepted:
        """Run a schedule's job now."""
        found = next(iter(self._client.schedules(name=schedule)), None)
        if found is None:
            raise ScheduleNotFound(f"there is no schedule {schedule!r}")
        return self._client.trigger(found.id)

    def find(self, job_id: str) -> UUID:
        """Return the id: another site knows no part of one."""
        try:
            return UUID(job_id.strip())
        except ValueError:
            raise JobNotFound(
                f"there is no job {job_id!r}; another site wants a job's whole id"
            ) from None

    def look(self, job_id: UUID) -> wire.Job:
        """Return a job."""
        return self._client.get(job_id)

    def show(self, job_id: UUID) -> wire.WholeJob:
        """Return a job with all that is known of it."""
        return self._client.get(job_id)

    def list(self, limit: int, filters: Mapping[str, Any]) -> Sequence[wire.Job]:
        """Return the jobs that match, newest first."""
        found = self._client.jobs(limit=min(limit, 200), **_as_query(filters))
        return list(islice(found, limit))

    def cancel(self, job_id: UUID) -> wire.Job:
        """Cancel a job."""
        return self._client.cancel(job_id)

    def retry(self, job_id: UUID) -> wire.Job:
        """Queue a job again."""
        return self._client.retry(job_id)

    def retry_all(self, filters: Mapping[str, Any], show: Callable[[int], None]) -> int:
        """Queue the dead letters again that match."""
        count = self._client.retry_dead_letters(**_chosen(filters))
        show(count)
        return count

    def discard_all(self, filters: Mapping[str, Any], show: Callable[[int], None]) -> int:
        """Remove the dead letters that match."""
        count = self._client.purge_dead_letters(**_chosen(filters))
        show(count)
        return count

    def queues(self) -> Sequence[wire.Queue]:
        """Return every queue."""
        return self._client.queues()

    def pause_queues(self, names: Sequence[str]) -> Sequence[str]:
        """Pause queues, one after the other."""
        return [queue for name in names for queue in self._client.pause(name)]

    def resume_queues(self, names: Sequence[str]) -> Sequence[str]:
        """Resume queues, one after the other."""
        return [queue for name in names for queue in self._client.resume(name)]

    def types(self) -> Sequence[wire.JobType]:
        """Return every job type."""
        return self._client.types()

    def stats(self) -> wire.Stats:
        """Count the jobs."""
        return self._client.stats()

    def events(self, since: str) -> Iterator[dict[str, Any] | None]:
        """Yield each event as it comes; where the stream ends for now is not known."""
        for event in self._client.events(since=None if since == NEWEST else since):
            yield event.model_dump(mode="json")

    def has_a_healthy_worker(self) -> bool:
        """Return whether jobs are being run; a key that may not see the workers trusts they are."""
        try:
            return any(worker.health == "healthy" for worker in self._client.workers())
        except ApiError:
            return True


@contextmanager
def remote_site(url: str | None, key: str | None) -> Iterator[RemoteSite | None]:
    """Yield the site of that address, or the environment's; None if there is neither.

    Raises:
        ConfigurationError: the address cannot be used, or there is no key.
    """
    url = url or os.environ.get(URL_VARIABLE)
    if not url:
        yield None
        return
    key = key or os.environ.get(KEY_VARIABLE)
    if not key:
        raise ConfigurationError(
            f"{url} wants an API key: set {KEY_VARIABLE}, or give --key; `manage.py jobs keys "
            "create` makes one over there"
        )
    try:
        client = Client(url, key)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    with client:
        yield RemoteSite(client)


def _as_query(filters: Mapping[str, Any]) -> dict[str, Any]:
    return {_FILTERS.get(name, name): value for name, value in filters.items()}


def _chosen(filters: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {name: value for name, value in _as_query(filters).items() if value is not None}
    return chosen or {"all": True}
