"""How many slots a worker's pool has, and changing that without harm to what runs."""

from typing import Any


class PoolSize:
    """The size of a worker's pool. It is changed in Celery's event loop, which owns the pool."""

    def __init__(self, worker: Any) -> None:
        """Make it.

        Args:
            worker: Celery's, with its pool and its consumer.
        """
        self._worker = worker
        processes = getattr(worker.pool, "_pool", None)
        #: Whether it can change: a pool of forked processes with an event loop.
        self.can_change = worker.hub is not None and hasattr(processes, "_busy_workers")
        if self.can_change and worker.max_concurrency:
            # With --autoscale Celery fetches messages for the most slots that there might be.
            worker.consumer.call_soon(self._fetch, self.now - worker.max_concurrency)

    @property
    def now(self) -> int:
        """How many slots there are."""
        return int(self._worker.pool.num_processes)

    def change(self, wanted: int) -> None:
        """Have so many slots soon; fewer only as far as processes are idle."""
        self._worker.consumer.call_soon(self._change, wanted)

    def _change(self, wanted: int) -> None:
        before = self.now
        if wanted > before:
            self._worker.pool.grow(wanted - before)
            self._worker.pool.maintain_pool()
        else:
            self._shrink(before - wanted)
        self._fetch(self.now - before)

    def _shrink(self, by: int) -> None:
        """End idle processes.

        As billiard does it, but for what is idle: to billiard a process is so until it has said
        that it began what it was given. Here it is not from the moment at which something was
        meant for it, and nothing more is given to one that ends.
        """
        pool = self._worker.pool._pool
        held = {id(each) for job in pool._cache.values() for each in _holders(job)}
        at_work = {pid for job in pool._cache.values() for pid in job.worker_pids()}
        ending = [
            each
            for each in pool._pool
            if id(each) not in held
            and each.pid not in at_work
            and not getattr(each, "_controlled_termination", False)
        ]
        for process in ending[:by]:
            pool._processes -= 1
            pool._putlock.shrink()
            pool._busy_workers.add(process.inqW_fd)
            process.terminate_controlled()

    def _fetch(self, more: int) -> None:
        """Have so many more messages fetched ahead, or fewer."""
        if more:
            self._worker.consumer._update_prefetch_count(more)


def _holders(job: Any) -> list[Any]:
    return [each for each in (job._write_to, job._scheduled_for) if each is not None]
