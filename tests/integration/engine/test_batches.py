"""Jobs that belong together, and what their common end leads to."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from jobs.backends.memory import drain
from jobs.domain.errors import BatchClosed, BatchNotFound
from jobs.domain.outcomes import Completed
from jobs.models import Batch, Job
from jobs.public import (
    InvalidOption,
    InvalidParameters,
    NewJob,
    UnknownJobType,
    add_to_batch,
    cancel_batch,
    close_batch,
    create_batch,
    get_batch,
    progress_of,
    purge,
    retry,
    submit,
)
from jobs.services.batch_life import end_batches, end_missed
from jobs.services.finishing import finish
from jobs.services.taking import Taker, take
from jobs.services.tenants import create_tenant

pytestmark = pytest.mark.usefixtures("memory")


def echoes(count: int, **options: Any) -> list[NewJob]:
    return [NewJob("sample.echo", {"value": n}, options) for n in range(count)]  # type: ignore[arg-type]


BROKEN = NewJob("sample.trouble", {"kind": "permanent"})


def led_to() -> dict[str, int]:
    """Return how many jobs each moment led to, by what was said of it."""
    found: dict[str, int] = {}
    for job in Job.objects.filter(job_type="sample.about_batch").order_by("pk"):
        found[job.params["moment"]] = found.get(job.params["moment"], 0) + 1
    return found


def told(moment: str) -> NewJob:
    return NewJob("sample.about_batch", {"moment": moment})


ALL: dict[str, Any] = {
    f"on_{moment}": told(moment) for moment in ("complete", "success", "failure")
}


def test_its_end_leads_on_once_all_have_completed() -> None:
    made = create_batch(echoes(3), name="import", **ALL)
    batch = get_batch(made.batch_id)
    assert (batch.state, batch.total, progress_of(batch).percent) == ("running", 3, 0)
    assert Job.objects.filter(batch=batch).count() == 3
    drain()
    batch.refresh_from_db()
    assert (batch.state, batch.counts) == ("finished", {"completed": 3})
    assert (progress_of(batch).percent, led_to()) == (100, {"complete": 1, "success": 1})
    [about, _] = Job.objects.filter(job_type="sample.about_batch").order_by("pk")
    assert about.params["batch_id"] == str(batch.pk)


def test_one_failure_is_the_failure_of_all_once_all_have_ended() -> None:
    made = create_batch([*echoes(2), BROKEN, *echoes(1, delay=timedelta(hours=1))], **ALL)
    drain()
    batch = get_batch(made.batch_id)
    assert (batch.state, led_to()) == ("running", {})
    assert progress_of(batch).counts == {"completed": 2, "failed": 1, "scheduled": 1}
    assert progress_of(batch).percent == 75
    drain(now=datetime.now(UTC) + timedelta(hours=2))
    assert led_to() == {"complete": 1, "failure": 1}


def test_after_a_retry_it_ends_anew() -> None:
    made = create_batch([BROKEN, *echoes(1)], **ALL)
    drain()
    assert led_to() == {"complete": 1, "failure": 1}
    failed = Job.objects.get(state="failed")
    Job.objects.filter(pk=failed.pk).update(params={"kind": "none"})
    retry(failed.pk, actor="a test")
    assert get_batch(made.batch_id).state == "running"
    drain()
    assert led_to() == {"complete": 2, "failure": 1, "success": 1}


def test_jobs_are_put_in_while_it_runs() -> None:
    made = create_batch(echoes(1), closed=False, **ALL)
    batch = get_batch(made.batch_id)
    drain()
    batch.refresh_from_db()
    assert (batch.state, led_to()) == ("open", {})
    add_to_batch(batch, echoes(2))
    submit("sample.echo", batch_id=batch.pk)
    close_batch(batch)
    assert get_batch(batch.pk).state == "running"
    submit("sample.echo", batch_id=str(batch.pk))
    drain()
    batch.refresh_from_db()
    assert (batch.total, batch.counts) == (5, {"completed": 5})
    with pytest.raises(InvalidOption, match="is finished, and takes no more jobs"):
        submit("sample.echo", batch_id=batch.pk)
    assert "takes no more" in str(add_to_batch(batch, echoes(1)).errors[0])


def test_all_of_it_is_cancelled() -> None:
    made = create_batch([*echoes(250), *echoes(1, delay=timedelta(hours=1))], **ALL)
    [running] = take(Taker(None, 1), ["normal"])
    assert cancel_batch(get_batch(made.batch_id), actor="a test") == 251
    batch = get_batch(made.batch_id)
    assert (batch.state, batch.finished_at) == ("cancelled", None)
    finish(running, Completed(1))
    batch.refresh_from_db()
    assert batch.counts == {"completed": 1, "cancelled": 250}
    assert led_to() == {"complete": 1, "failure": 1}
    with pytest.raises(BatchClosed, match="nothing to cancel"):
        cancel_batch(batch, actor="a test")


def test_one_without_jobs_has_ended_well() -> None:
    made = create_batch([], **ALL)
    assert get_batch(made.batch_id).state == "finished"
    assert led_to() == {"complete": 1, "success": 1}


def test_what_cannot_be_accepted_is_named_by_its_place() -> None:
    made = create_batch([*echoes(1), NewJob("no.such"), *echoes(1)])
    assert list(made.submitted.errors) == [1]
    assert get_batch(made.batch_id).total == 2


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"on_success": NewJob("no.such")}, UnknownJobType),
        ({"on_success": NewJob("sample.echo", {"no": 1})}, InvalidParameters),
        ({"on_success": NewJob("sample.echo", {}, {"delay": timedelta(1)})}, InvalidOption),
        ({"on_success": "sample.echo"}, InvalidOption),
        ({"name": "x" * 101}, InvalidOption),
        ({"name": "a\nb"}, InvalidOption),
        ({"tenant": "nobody"}, InvalidOption),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_stored(wrong: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        create_batch(echoes(2), **wrong)
    assert not Batch.objects.exists()
    assert not Job.objects.exists()


def test_a_batch_that_is_not_there() -> None:
    for wrong in (uuid4(), "x"):
        with pytest.raises(BatchNotFound):
            get_batch(wrong)
    with pytest.raises(InvalidOption, match="there is no batch"):
        submit("sample.echo", batch_id=uuid4())


def test_a_tenants_batch_takes_jobs_of_the_tenant() -> None:
    for name in ("a", "b"):
        create_tenant(name, actor="a test")
    made = create_batch(echoes(1), tenant="a", closed=False, **ALL)
    assert set(Job.objects.values_list("tenant", flat=True)) == {"a"}
    with pytest.raises(InvalidOption, match="there is no batch"):
        submit("sample.echo", tenant="b", batch_id=made.batch_id)
    with pytest.raises(BatchNotFound):
        get_batch(made.batch_id, tenant="b")
    told = add_to_batch(get_batch(made.batch_id), [NewJob("sample.echo", {}, {"tenant": "b"})])
    assert "of tenant b, which the job belongs to" in str(told.errors[0])
    nobodys = create_batch([NewJob("sample.echo", {}, {"tenant": "b"})])
    assert "of tenant b" in str(nobodys.submitted.errors[0])
    assert not Job.objects.filter(tenant="").exists()
    close_batch(get_batch(made.batch_id, tenant="a"))
    drain()
    assert set(Job.objects.values_list("tenant", flat=True)) == {"a"}


def test_what_its_end_can_no_longer_lead_to_is_said() -> None:
    made = create_batch(echoes(1), **ALL)
    batch = get_batch(made.batch_id)
    batch.callbacks["on_success"]["type"] = "no.more"
    batch.save()
    drain()
    batch.refresh_from_db()
    assert batch.state == "finished"
    assert batch.last_error.startswith("on_success: job type 'no.more' is not registered")
    assert led_to() == {"complete": 1}


def test_the_timekeeper_ends_what_nobody_has_ended() -> None:
    made = create_batch(echoes(1), **ALL)
    Job.objects.update(state="completed", finished_at=datetime.now(UTC))  # as if a process had died
    assert get_batch(made.batch_id).state == "running"
    assert end_missed() == 1
    assert (end_missed(), end_batches([made.batch_id])) == (0, 0)
    assert led_to() == {"complete": 1, "success": 1}


def test_its_jobs_are_kept_until_it_has_finished_and_it_for_a_month() -> None:
    made = create_batch([*echoes(1), *echoes(1, delay=timedelta(days=40))], **ALL)
    drain()
    purge(now=datetime.now(UTC) + timedelta(days=3))
    assert Job.objects.filter(batch_id=made.batch_id).count() == 2
    drain(now=datetime.now(UTC) + timedelta(days=41))
    purge(now=datetime.now(UTC) + timedelta(days=3))
    assert progress_of(get_batch(made.batch_id)).counts == {"completed": 2}
    purge(now=datetime.now(UTC) + timedelta(days=31))
    assert not Batch.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_that_end_at_once_one_ends_the_batch() -> None:
    made = create_batch(echoes(40), **ALL)
    taken = take(Taker(None, 1), ["normal"], limit=40)
    start = threading.Barrier(8)

    def end(jobs: list[Job]) -> None:
        start.wait()
        for job in jobs:
            finish(job, Completed(None))
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        for each in [pool.submit(end, taken[at::8]) for at in range(8)]:
            each.result()
    assert get_batch(made.batch_id).counts == {"completed": 40}
    assert led_to() == {"complete": 1, "success": 1}
