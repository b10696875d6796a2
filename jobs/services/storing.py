"""Storing new jobs: one statement for any number of them."""

from collections.abc import Sequence
from functools import cache
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from jobs.models import Job, JobTag
from jobs.services.batch_life import join_batches
from jobs.services.dependencies import store_dependencies
from jobs.services.json_rows import as_uuid, json_rows

#: What jobs of one template differ by.
_OWN = ("id", "params", "idempotency_key", "concurrency_key")
_SHARED = (
    "job_type", "tenant", "queue", "priority", "priority_source", "state", "max_attempts",
    "timeout", "backoff", "created_at", "run_at", "scheduled_for", "expires_at", "trigger",
    "created_by", "parent", "event_id", "trace_id", "batch",
)  # fmt: skip
_AT_FIRST = (
    "run", "attempt", "losses", "alone", "progress", "progress_message", "failure_reason",
    "error_type", "error",
)  # fmt: skip
# The only unique keys that two submissions can share are those of `idempotency_key`.
_INSERT = """
INSERT INTO {table} ({columns}) SELECT {values} FROM {given} WHERE true
ON CONFLICT DO NOTHING {returning}
"""


def store(jobs: Sequence[Job], *, alike: bool = True) -> set[UUID]:
    """Store new jobs; return the ids of those whose idempotency key no other job has.

    Args:
        jobs: checked ones, made by `jobs.services.building`.
        alike: whether they differ by nothing but their id, parameters and key.
    """
    if not jobs:
        return set()
    if not any(job.new_tags or job.new_dependencies or job.batch_id for job in jobs):
        return _store(jobs, alike)
    with transaction.atomic():
        stored = _store(jobs, alike)
        JobTag.objects.bulk_create(
            [JobTag(job=job, tag=tag) for job in jobs if job.id in stored for tag in job.new_tags]
        )
        join_batches([job for job in jobs if job.id in stored])
        blocked = [job for job in jobs if job.id in stored and job.new_dependencies]
        if blocked:
            store_dependencies(blocked)
    return stored


def _store(jobs: Sequence[Job], alike: bool) -> set[UUID]:
    keyed = any(job.idempotency_key is not None for job in jobs)
    # One document costs less than a parameter for each column.
    insert = _insert(alike and len(jobs) > 1, keyed, connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(insert.statement, insert.values(jobs))
        if not keyed:
            return {job.id for job in jobs}
        return {as_uuid(job_id) for (job_id,) in cursor.fetchall()}


class _Insert:
    """The statement for one shape of jobs."""

    def __init__(self, *, alike: bool, keyed: bool) -> None:
        each = _OWN if alike else (*_OWN, *_SHARED)
        fields: list[Any] = [Job._meta.get_field(name) for name in (*_OWN, *_SHARED)]
        first: list[Any] = [Job._meta.get_field(name) for name in _AT_FIRST]
        quote = connection.ops.quote_name
        self._rows = json_rows(*each)
        self._read = attrgetter(*(field.attname for field in fields if field.name in each))
        self._same = [field for field in fields if field.name not in each]
        self.statement = _INSERT.format(
            table=quote(Job._meta.db_table),
            columns=", ".join(quote(field.column) for field in (*fields, *first)),
            values=", ".join(
                [f"given.{quote(field.name)}" if field.name in each else "%s" for field in fields]
                + [_literal(field.get_default()) for field in first]
            ),
            given=self._rows.source(),
            returning="RETURNING id" if keyed else "",
        )

    def values(self, jobs: Sequence[Job]) -> list[Any]:
        """Return what stands for the placeholders."""
        same = [
            field.get_db_prep_save(getattr(jobs[0], field.attname), connection)
            for field in self._same
        ]
        return [*same, self._rows.document(map(self._read, jobs))]


@cache
def _insert(alike: bool, keyed: bool, _vendor: str) -> _Insert:
    return _Insert(alike=alike, keyed=keyed)


def _literal(value: Any) -> str:
    """Return a default of the model's as SQL has it: a number, a truth or no text."""
    return "''" if value == "" else str(value)
