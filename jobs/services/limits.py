"""How many jobs may run at once: of the site, a queue, a type, a tenant or a key, over all workers.

A limit holds at the moment when a job is taken. Whoever takes under a limit looks at what runs and
takes in one transaction, one process of the site at a time: so no two of them find the same room.
What runs is counted along the index of the running jobs, which are few; a process that holds
several jobs of one take runs them one by one, and counts once.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.db import connection, transaction

from jobs.conf import jobs_settings
from jobs.domain.registry import registry
from jobs.models import Job, Worker
from jobs.selectors.tenants import running_limits
from jobs.services.ordering import take_in_order
from jobs.services.taking import ALL, Taker, Wanted

#: Of the site's lock in PostgreSQL; SQLite has one writer anyway.
_LOCK = 0x6A6F_6273  # "jobs"
# A child of the prefork pool runs its jobs one by one: it is one slot, whatever it holds.
_RUNNING = """
SELECT DISTINCT job.job_type, job.queue, job.tenant, job.concurrency_key, job.worker_id,
    CASE WHEN worker.pool = 'prefork' THEN job.pid END,
    CASE WHEN worker.pool = 'prefork' THEN NULL ELSE job.id END
FROM {jobs} AS job LEFT JOIN {workers} AS worker ON worker.id = job.worker_id
WHERE job.state = 'running'
"""


#: A job type, and a concurrency key of its jobs.
_Key = tuple[str, str]


@dataclass(slots=True)
class _Used:
    """The slots at work."""

    all: set[Hashable] = field(default_factory=set)
    by_type: defaultdict[str, set[Hashable]] = field(default_factory=lambda: defaultdict(set))
    by_queue: defaultdict[str, set[Hashable]] = field(default_factory=lambda: defaultdict(set))
    by_tenant: defaultdict[str, set[Hashable]] = field(default_factory=lambda: defaultdict(set))
    by_key: defaultdict[_Key, set[Hashable]] = field(default_factory=lambda: defaultdict(set))


@dataclass(frozen=True, slots=True)
class _Limits:
    """How many may run at once, by name; `site` is 0 where nothing can exceed it."""

    site: int
    queues: Mapping[str, int]
    types: Mapping[str, int]
    tenants: Mapping[str, int]
    #: Of each key, by the type.
    keys: Mapping[str, int]

    @property
    def any(self) -> bool:
        return bool(self.site or self.queues or self.types or self.tenants or self.keys)

    def hold_for(self, jobs: Sequence[Job]) -> bool:
        return any(
            job.job_type in self.types
            or job.queue in self.queues
            or job.tenant in self.tenants
            or (job.concurrency_key and job.job_type in self.keys)
            for job in jobs
        )

    def full_keys(self, used: _Used) -> set[_Key]:
        return {
            key
            for key, slots in used.by_key.items()
            if key[0] in self.keys and len(slots) >= self.keys[key[0]]
        }


#: Whether the last take of this process met a limit: the next one is likely to, too.
_met = False


class _Limited(Exception):
    """What was taken is under a limit, which nobody has looked at."""


def take_within_limits(
    taker: Taker,
    queues: Sequence[str],
    *,
    limit: int = 1,
    wanted: Wanted = ALL,
    crowded: bool = True,
) -> list[Job]:
    """Take ready jobs, as many as the limits leave room for: see `jobs.services.taking.take`.

    Jobs without a limit are not held up: only who finds one with a limit counts what runs.

    Args:
        taker: who takes.
        queues: the queues to take from.
        limit: at most so many; more than one only for a process that runs them one by one.
        wanted: which of their jobs.
        crowded: whether the workers have more slots together than jobs may run at once
            (`MAX_CONCURRENT_JOBS`). Otherwise that limit holds by itself, and costs nothing.
    """
    global _met
    settings = jobs_settings()
    limits = _Limits(
        site=settings.max_concurrent_jobs if crowded else 0,
        queues=settings.queue_concurrency,
        types=registry.concurrencies(),
        tenants=running_limits(),
        keys=registry.concurrencies_per_key(),
    )
    if not limits.any:
        return take_in_order(taker, queues, limit=limit, wanted=wanted)
    if not (limits.site or _met):
        try:
            with transaction.atomic():
                jobs = take_in_order(taker, queues, limit=limit, wanted=wanted)
                if limits.hold_for(jobs):
                    raise _Limited
                return jobs
        except _Limited:
            pass
    with transaction.atomic():
        jobs, _met = _take_counted(taker, queues, limit, wanted, limits)
    return jobs


def _take_counted(
    taker: Taker, queues: Sequence[str], limit: int, wanted: Wanted, limits: _Limits
) -> tuple[list[Job], bool]:
    """Take by what runs now; return whether a limit was met as well."""
    _alone()
    used = _used()
    if limits.site and len(used.all) >= limits.site:
        return [], True
    full_queues = _full(limits.queues, used.by_queue)
    full_types = _full(limits.types, used.by_type)
    open_queues = [queue for queue in queues if queue not in full_queues]
    full_tenants = _full(limits.tenants, used.by_tenant)
    full_keys = limits.full_keys(used)
    full = (full_queues, full_types, full_tenants, full_keys)
    wanted = replace(wanted, but_types=full_types, but_tenants=full_tenants, but_keys=full_keys)
    jobs = take_in_order(taker, open_queues, limit=limit, wanted=wanted)
    return jobs, any(full) or limits.hold_for(jobs)


def _full(limits: Mapping[str, int], used: Mapping[str, set[Hashable]]) -> set[str]:
    return {name for name, most in limits.items() if len(used.get(name, ())) >= most}


def _alone() -> None:
    """Wait until no other process takes under a limit; until the end of the transaction."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _used() -> _Used:
    quote = connection.ops.quote_name
    statement = _RUNNING.format(
        jobs=quote(Job._meta.db_table), workers=quote(Worker._meta.db_table)
    )
    used = _Used()
    with connection.cursor() as cursor:
        cursor.execute(statement)
        for job_type, queue, tenant, key, *slot in cursor.fetchall():
            held = [used.all, used.by_type[job_type], used.by_queue[queue], used.by_tenant[tenant]]
            if key:
                held.append(used.by_key[job_type, key])
            for each in held:
                each.add(tuple(slot))
    return used
