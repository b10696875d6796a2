from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from jobs.domain.priority import Priority
from jobs.domain.states import State
from jobs.models import AuditEntry, Job

FORM = "/admin/jobs/job/add/"


def test_a_submitted_job_is_stored_with_its_options(browser: Client, site_admin: User) -> None:
    data = {
        "params.period": '{"start": 3}',
        "priority": "high",
        "delay": "3600",
        "idempotency_key": "once",
    }
    response = browser.post(f"{FORM}?job_type=sample.nested", data)
    job = Job.objects.get()
    assert response.headers["Location"] == f"/admin/jobs/job/{job.pk}/change/"
    assert (job.job_type, job.params, job.priority, job.idempotency_key) == (
        "sample.nested", {"period": {"start": 3}}, Priority.HIGH, "once",
    )  # fmt: skip
    assert (job.state, job.trigger) == (State.SCHEDULED, Job.Trigger.MANUAL)
    assert job.created_by == site_admin
    assert AuditEntry.objects.filter(action="job.submit", target_id=job.pk, actor="root").exists()


@pytest.mark.parametrize(
    ("data", "field", "message"),
    [
        ({"params.period": ""}, "params.period", "This field is required"),
        ({"delay": "-1"}, "delay", "greater than or equal to 0"),
        ({"delay": "99999999999"}, "delay", "less than or equal to"),
        ({"priority": "urgent"}, "priority", "not one of the available choices"),
        ({"idempotency_key": "x" * 1000}, "idempotency_key", "at most"),
    ],
)
def test_an_error_stands_on_its_field_and_nothing_is_stored(
    browser: Client, data: dict[str, str], field: str, message: str
) -> None:
    sound = {"params.period": '{"start": 3}'}
    response = browser.post(f"{FORM}?job_type=sample.nested", {**sound, **data})
    assert response.status_code == 200
    assert set(response.context["errors"]) == {field}
    assert message in " ".join(response.context["errors"][field])
    assert not Job.objects.exists()


def test_the_same_key_finds_the_first_job_or_says_that_it_is_taken(browser: Client) -> None:
    address = f"{FORM}?job_type=sample.echo"
    data = {"params.value": "1", "idempotency_key": "once"}
    browser.post(address, data)
    page = browser.post(address, data, follow=True).content.decode()
    assert "That key has a job already." in page
    response = browser.post(address, {**data, "params.value": "2"})
    assert "has other parameters" in " ".join(response.context["errors"]["idempotency_key"])
    assert Job.objects.count() == 1


def test_a_full_queue_is_told_on_the_form(browser: Client, settings: Settings) -> None:
    settings.JOBS = {**settings.JOBS, "QUEUE_SIZE": 1}
    address = f"{FORM}?job_type=sample.echo"
    browser.post(address, {"params.value": "1"})
    response = browser.post(address, {"params.value": "2"})
    assert response.status_code == 200
    assert "queue normal is full" in " ".join(response.context["errors"]["__all__"])
    assert (Job.objects.count(), AuditEntry.objects.count()) == (1, 1)


def test_a_type_is_chosen_first(browser: Client) -> None:
    page = browser.get(FORM).content.decode()
    link = page.split('href="?job_type=sample.work"')[1].split("</a>")[0]
    assert "Leave a line in a file" in link
    assert "<form" not in page.split('id="content-main"')[1]
    page = browser.get(f"{FORM}?job_type=sample.work").content.decode()
    assert "Leave a line in a file" in page
    assert 'href="?job_type="' in page  # back to the others


def test_a_type_that_is_unknown_is_named_beside_those_there_are(browser: Client) -> None:
    for response in (browser.get(f"{FORM}?job_type=no.such"), browser.post(FORM, {"x": "y"})):
        assert response.status_code == 200
        assert 'href="?job_type=sample.work"' in response.content.decode()
    page = browser.get(f"{FORM}?job_type=<no.such>").content.decode()
    assert "There is no job type <code>&lt;no.such&gt;</code>" in page


def test_submitting_needs_its_permission(browser_of: Callable[..., Client]) -> None:
    browser = browser_of("view_job", "submit_job")
    assert "Submit a job" in browser.get("/admin/jobs/job/").content.decode()
    assert browser.post(f"{FORM}?job_type=sample.echo", {"params.value": "1"}).status_code == 302
    assert Job.objects.count() == 1


def test_without_the_permission_there_is_no_form(browser_of: Callable[..., Client]) -> None:
    browser = browser_of("view_job")
    assert "Submit a job" not in browser.get("/admin/jobs/job/").content.decode()
    assert browser.get(FORM).status_code == 403
    assert browser.post(f"{FORM}?job_type=sample.echo", {"params.value": "1"}).status_code == 403
