"""Jobs of which there may be only one like them for a while."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from jobs import Sensitive, job_type
from jobs.backends.memory import drain
from jobs.domain.errors import ConfigurationError
from jobs.models import Job, UniqueHold
from jobs.public import DuplicateJob, InvalidOption, NewJob, get, purge, submit, submit_many
from jobs.services.tenants import create_tenant

pytestmark = pytest.mark.usefixtures("memory")


def echo(value: Any = 1, **options: Any) -> Any:
    return submit("sample.echo", {"value": value}, **options)


def running(job_id: UUID) -> None:
    Job.objects.filter(pk=job_id).update(state="running", run=1, attempt=1)


def test_until_it_starts() -> None:
    first = echo(unique="waiting")
    again = echo(unique="waiting")
    assert (again.job_id, again.duplicate) == (first.job_id, True)
    assert not echo(2, unique="waiting").duplicate
    assert not echo().duplicate  # who does not ask is not held up
    running(first.job_id)
    second = echo(unique="waiting")
    assert not second.duplicate
    assert echo(unique="waiting").job_id == second.job_id


def test_until_it_ends() -> None:
    first = echo(unique="active")
    running(first.job_id)
    assert echo(unique="active").job_id == first.job_id
    Job.objects.filter(pk=first.job_id).update(state="retrying")
    assert echo(unique="active").job_id == first.job_id
    Job.objects.filter(pk=first.job_id).update(state="failed", finished_at=datetime.now(UTC))
    assert not echo(unique="active").duplicate


def test_for_a_period_whatever_becomes_of_it() -> None:
    first = echo(unique=timedelta(hours=1))
    drain()
    purge(now=datetime.now(UTC) + timedelta(minutes=30))
    assert echo(unique=timedelta(hours=1)).job_id == first.job_id
    UniqueHold.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert not echo(unique=timedelta(hours=1)).duplicate


def test_a_type_may_say_so_for_all_its_jobs() -> None:
    first = submit("sample.unique", {"value": 1})
    assert submit("sample.unique", {"value": 1}).job_id == first.job_id
    assert not submit("sample.unique", {"value": 2}).duplicate
    with pytest.raises(ConfigurationError, match="unique must be 'waiting'"):
        job_type("sample.wrong", unique="ever")(lambda params, ctx: None)  # type: ignore[arg-type]


def test_by_a_key_of_ones_own() -> None:
    first = echo(1, unique="active", unique_key="report")
    assert echo(2, unique="active", unique_key="report").job_id == first.job_id
    assert not echo(1, unique="active", unique_key="other").duplicate
    assert not submit("sample.gathered", unique="active", unique_key="report").duplicate


def test_another_tenants_job_is_another_one() -> None:
    for name in ("a", "b"):
        create_tenant(name, actor="a test")
        assert not echo(unique="active", tenant=name).duplicate


def test_a_second_one_replaces_the_first_or_is_an_error() -> None:
    first = echo(1, unique="waiting", unique_key="k")
    replaced = echo(2, unique="waiting", unique_key="k", on_duplicate="replace")
    assert (replaced.job_id, replaced.replaced) == (first.job_id, True)
    assert get(first.job_id).params == {"value": 2}
    with pytest.raises(DuplicateJob, match=f"{first.job_id}, queued, and there may be one only"):
        echo(3, unique="waiting", unique_key="k", on_duplicate="error")
    held = echo(1, unique="active", unique_key="held")
    running(held.job_id)
    with pytest.raises(DuplicateJob, match="can no longer be replaced"):
        echo(2, unique="active", unique_key="held", on_duplicate="replace")


def test_of_many_the_first_of_each_kind_is_accepted() -> None:
    earlier = echo(0, unique="active")
    told = submit_many(
        NewJob("sample.echo", {"value": value}, {"unique": "active"}) for value in (0, 1, 2, 1, 2)
    )
    ids = told.job_ids
    assert (ids[0], ids[3], ids[4]) == (earlier.job_id, ids[1], ids[2])
    assert [each.duplicate for each in told.submissions if each] == [True, False, False, True, True]
    assert Job.objects.count() == 3


@pytest.mark.parametrize("unique", ["always", "", 7, timedelta(0), timedelta(days=-1), True])
def test_what_cannot_be_is_refused(unique: Any) -> None:
    with pytest.raises(InvalidOption, match="unique must be 'waiting', 'active' or a timedelta"):
        echo(unique=unique)


def test_what_is_sensitive_cannot_be_guessed_from_what_is_kept() -> None:
    assert Sensitive
    submit("sample.charge", {"customer": 1, "token": "1234"}, unique="active")
    again = submit("sample.charge", {"customer": 1, "token": "1234"}, unique="active")
    assert again.duplicate
    assert "1234" not in UniqueHold.objects.get().key


def test_what_holds_no_longer_is_removed() -> None:
    echo(1, unique="active")
    echo(2, unique="active", delay=timedelta(days=30))
    echo(3, unique=timedelta(minutes=1))
    drain()
    purge(now=datetime.now(UTC) + timedelta(days=2))
    assert UniqueHold.objects.count() == 1


def test_a_result_answers_until_it_is_too_old() -> None:
    """While its job runs too; one that ended badly answers for none."""
    ttl = timedelta(hours=1)
    first = echo(unique_key="k", result_ttl=ttl)
    assert echo(unique_key="k", result_ttl=ttl).job_id == first.job_id
    assert drain() == 1
    hit = echo(unique_key="k", result_ttl=ttl)
    assert (hit.job_id, hit.duplicate, hit.state) == (first.job_id, True, "completed")
    assert get(hit.job_id).result == 1
    assert drain() == 0
    purge(now=datetime.now(UTC))
    assert echo(unique_key="k", result_ttl=ttl).duplicate
    Job.objects.update(finished_at=datetime.now(UTC) - ttl)
    missed = echo(unique_key="k", result_ttl=ttl)
    assert not missed.duplicate
    Job.objects.filter(pk=missed.job_id).update(state="failed", finished_at=datetime.now(UTC))
    assert not echo(unique_key="k", result_ttl=ttl).duplicate


def test_a_type_may_have_its_results_answer() -> None:
    first = submit("sample.cached", {"value": 1})
    drain()
    assert submit("sample.cached", {"value": 1}).job_id == first.job_id
    assert not submit("sample.cached", {"value": 2}).duplicate
    forced = submit("sample.cached", {"value": 1}, unique=timedelta(seconds=1))
    assert forced.duplicate  # by the hold that the first one has
    with pytest.raises(InvalidOption, match="both given"):
        submit("sample.cached", unique="active", result_ttl=timedelta(1))
    with pytest.raises(InvalidOption, match="result_ttl must be a timedelta"):
        echo(result_ttl=5)
    with pytest.raises(ConfigurationError, match="declare one of them"):
        job_type("sample.wrong", unique="active", result_ttl=timedelta(1))(lambda params, ctx: None)


@pytest.mark.django_db(transaction=True)
def test_of_a_hundred_who_race_one_is_accepted() -> None:
    start = threading.Barrier(10)
    told = []

    def race() -> None:
        start.wait()
        for _ in range(10):
            told.append(submit("sample.unique", {"value": "race"}))
        connection.close()

    with ThreadPoolExecutor(10) as pool:
        for each in [pool.submit(race) for _ in range(10)]:
            each.result()
    assert len(told) == 100
    assert len({each.job_id for each in told}) == Job.objects.count() == 1
    assert sum(not each.duplicate for each in told) == 1
