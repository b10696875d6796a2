"""What is sensitive in parameters: in plain in the handler, and nowhere else."""

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
from cryptography.fernet import Fernet
from django.db import connection
from django.test import Client
from pytest_django import Settings

from jobs.backends.memory import drain
from jobs.domain.errors import ConfigurationError, DuplicateJob, InvalidParameters
from jobs.domain.submission import NewJob
from jobs.models import AuditEntry, Job, Schedule
from jobs.public import create_schedule, describe, get, submit, submit_many
from jobs.public import list as listed
from jobs.selectors.event_stream import KEY
from jobs.services import stream
from jobs.services.encryption import reencrypt
from jobs.services.schedules import change_schedule
from jobs.services.scheduling import fire_due

CANARY = "canary-5f1d-9b7e-secret"
PARAMS = {
    "customer": 7,
    "token": CANARY,
    "cards": [{"number": f"{CANARY}-1", "note": "first"}, {"number": f"{CANARY}-2"}],
}
pytestmark = pytest.mark.django_db
NEW, OLD = (Fernet.generate_key().decode() for _ in range(2))


@pytest.fixture(autouse=True)
def _memory(settings: Settings) -> None:
    settings.JOBS = {**settings.JOBS, "BACKEND": "memory"}
    settings.FIELD_KEYS = [OLD]


def rows() -> str:
    """Everything that the tables hold."""
    told = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            told.append(json.dumps(cursor.fetchall(), default=str))
    return "\n".join(told)


def test_the_handler_reads_it_and_the_database_does_not_hold_it() -> None:
    job_id = submit("sample.charge", PARAMS).job_id
    assert CANARY not in rows()
    assert get(job_id).params["customer"] == 7
    drain()
    job = get(job_id)
    assert (job.state, job.result) == ("completed", {"token": 23, "cards": [25, 25]})
    assert CANARY not in rows()


def test_it_is_shown_to_nobody(admin_client: Client) -> None:
    job_id = submit("sample.charge", PARAMS).job_id
    told = describe(get(job_id))
    assert told["params"] == {
        "customer": 7, "token": "[sealed]", "spare": None,
        "cards": [{"number": "[sealed]", "note": "first"}, {"number": "[sealed]", "note": ""}],
    }  # fmt: skip
    page = admin_client.get(f"/admin/jobs/job/{job_id}/change/").content.decode()
    assert "[sealed]" in page
    assert not any(each in page for each in (CANARY, "$sealed", "gAAAA"))


def test_many_are_sealed_as_well() -> None:
    submit_many(NewJob("sample.charge", PARAMS) for _ in range(3))
    assert CANARY not in rows()
    drain()
    assert {job.state for job in listed()} == {"completed"}


def test_a_key_finds_the_same_job_although_it_is_sealed_anew() -> None:
    first = submit("sample.charge", PARAMS, idempotency_key="k")
    again = submit("sample.charge", PARAMS, idempotency_key="k")
    assert (again.job_id, again.duplicate) == (first.job_id, True)
    with pytest.raises(DuplicateJob, match="which has other parameters"):
        submit("sample.charge", {**PARAMS, "token": "another"}, idempotency_key="k")


def test_a_wrong_key_opens_nothing(settings: Settings) -> None:
    job_id = submit("sample.charge", PARAMS, max_attempts=2).job_id
    settings.FIELD_KEYS = [NEW]
    for _ in range(2):
        drain(now=get(job_id).created_at + timedelta(hours=1))
    job = get(job_id)
    assert (job.state, job.error_type) == ("failed", "Unreadable")
    assert "put it back behind the others" in job.error
    settings.FIELD_KEYS = [NEW, OLD]
    assert submit("sample.charge", PARAMS, idempotency_key="x").job_id


def test_without_a_key_nothing_is_stored(settings: Settings) -> None:
    settings.FIELD_KEYS = []
    with pytest.raises(ConfigurationError, match="there is no key for sensitive parameters"):
        submit("sample.charge", PARAMS)
    settings.FIELD_KEYS = [f"x{CANARY}"]
    with pytest.raises(ConfigurationError, match="FIELD_KEYS holds something that is no key") as no:
        submit("sample.charge", PARAMS)
    assert CANARY not in str(no.value)
    assert not Job.objects.exists()
    submit("sample.echo")  # nothing in it is sensitive


def test_what_is_sealed_opens_where_it_was_sealed_for() -> None:
    job = get(submit("sample.charge", PARAMS).job_id)
    token = job.params["token"]
    for forged in ({"token": token}, {"token": "x", "cards": [{"number": token}]}):
        with pytest.raises(InvalidParameters, match=r"no name may be '\$sealed'"):
            submit("sample.charge", {"customer": 1, **forged})
    with pytest.raises(InvalidParameters, match=r"no name may be"):
        create_schedule("s", "sample.charge", cron="@daily", params={"customer": 1, "token": token})
    # A type without anything sensitive opens nothing.
    other = submit("sample.echo", {"value": token}).job_id
    drain()
    assert get(other).result == token


def test_a_schedule_keeps_it_sealed_and_its_jobs_get_it(admin_client: Client) -> None:
    schedule = create_schedule("nightly", "sample.charge", cron="@daily", params=PARAMS)
    assert CANARY not in rows()
    change_schedule(schedule, actor="ada", cron="@hourly")
    told = AuditEntry.objects.filter(action="schedule.change").get()
    assert told.details["after"]["params"]["token"] == "[sealed]"
    Schedule.objects.filter(name="nightly").update(next_run_at=schedule.created_at)
    assert fire_due() == 1
    drain()
    assert [job.result for job in listed()] == [{"token": 23, "cards": [25, 25]}]
    assert CANARY not in rows()


def test_what_is_left_as_it_is_shown_stays_what_it_was(admin_client: Client) -> None:
    schedule = create_schedule("nightly", "sample.charge", cron="@daily", params=PARAMS)
    address = f"/admin/jobs/schedule/{schedule.pk}/change/"
    page = admin_client.get(f"{address}?as=json").content.decode()
    assert "[sealed]" in page
    assert CANARY not in page
    shown = {"customer": 8, "token": "[sealed]", "cards": [{"number": "[sealed]"}]}
    data = {"name": "nightly", "enabled": "on", "cron": "@daily", "timezone": "UTC"}
    made = admin_client.post(f"{address}?as=json", {**data, "parameters": json.dumps(shown)})
    assert made.status_code == 302, made.content.decode()
    stored = Schedule.objects.get(name="nightly")
    assert stored.params["customer"] == 8
    Schedule.objects.filter(name="nightly").update(next_run_at=stored.created_at)
    fire_due()
    drain()
    (job,) = listed()
    assert job.result == {"token": 23, "cards": [len("[sealed]")]}  # another list is another value


def test_keys_are_replaced(settings: Settings) -> None:
    waiting = submit("sample.charge", PARAMS).job_id
    schedule = create_schedule("nightly", "sample.charge", cron="@daily", params=PARAMS)
    settings.FIELD_KEYS = [NEW, OLD]
    assert reencrypt() == 2
    settings.FIELD_KEYS = [NEW]
    drain()
    assert get(waiting).state == "completed"
    Schedule.objects.filter(name="nightly").update(next_run_at=schedule.created_at)
    assert fire_due() == 1
    settings.FIELD_KEYS = [OLD]
    drain()
    assert [job.error_type for job in listed(state="retrying")] == ["Unreadable"]


class TestCanary:
    """It is looked for wherever something is written."""

    @pytest.fixture
    def written(
        self, settings: Settings, redis_url: str, caplog: pytest.LogCaptureFixture
    ) -> Callable[[], str]:
        settings.JOBS = {**settings.JOBS, "REDIS_URL": redis_url}
        caplog.set_level(logging.DEBUG)

        def everything() -> str:
            stream.flush()
            with redis.Redis.from_url(redis_url) as client:
                dumped = [client.dump(key) for key in client.scan_iter("*")]
                events = client.xrange(KEY)
            return "\n".join([rows(), caplog.text, repr(dumped), repr(events)])

        return everything

    @pytest.mark.parametrize(
        "wrong",
        [
            {"customer": "x"}, {"token": 7, "customer": CANARY}, {"surprise": CANARY},
            {"cards": [{"number": [CANARY]}]}, {"cards": CANARY},
        ],
    )  # fmt: skip
    def test_an_error_does_not_repeat_what_was_given(
        self, written: Callable[[], str], wrong: dict[str, Any]
    ) -> None:
        with pytest.raises(InvalidParameters) as refused:
            submit("sample.charge", {**PARAMS, **wrong})
        assert CANARY not in str(refused.value)
        assert CANARY not in written()

    def test_nothing_that_is_written_holds_it(
        self, written: Callable[[], str], admin_client: Client, settings: Settings
    ) -> None:
        submit("sample.charge", PARAMS)
        drain()
        settings.FIELD_KEYS = [NEW]
        submit("sample.charge", PARAMS)
        settings.FIELD_KEYS = [OLD]
        drain()
        admin_client.post("/admin/jobs/job/add/?job_type=sample.charge&as=json", {
            "parameters": json.dumps(PARAMS),
        })  # fmt: skip
        assert Job.objects.count() == 3
        assert CANARY not in written()
        for path in ("", "jobs/job/", "jobs/auditentry/"):
            assert CANARY not in admin_client.get(f"/admin/{path}").content.decode()


def test_the_document_says_that_it_can_only_be_written(admin_client: Client) -> None:
    schemas = admin_client.get("/api/openapi.json").json()["components"]["schemas"]
    assert schemas["Params_sample.charge"]["properties"]["token"]["writeOnly"] is True
