from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from jobs.domain.priority import Priority
from jobs.domain.states import State
from jobs.models import AuditEntry, Job

FORM = "/admin/jobs/job/add/"


def test_a_submitted_job_is_stored_with_its_options(browser: Client, site_admin: User) -> None:
    data = {
        "job_type": "sample.nested",
        "params": '{"period": {"start": 3}}',
        "priority": "high",
        "delay": "3600",
        "idempotency_key": "once",
    }
    response = browser.post(FORM, data)
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
        ({"params": '{"period": {"start": "x"}}'}, "params", "period.start: "),
        ({"params": "{}"}, "params", "period: Field required"),
        ({"params": '{"period": '}, "params", "This is not JSON"),
        ({"params": "[1]"}, "params", "must be a JSON object"),
        ({"params": "[" * 100_000}, "params", "cannot be read"),
        ({"params": "{}", "job_type": "no.such"}, "job_type", "not one of the available choices"),
        ({"params": "{}", "delay": "-1"}, "delay", "greater than or equal to 0"),
        ({"params": "{}", "delay": "99999999999"}, "delay", "less than or equal to"),
    ],
)
def test_an_error_stands_on_its_field(
    browser: Client, data: dict[str, str], field: str, message: str
) -> None:
    response = browser.post(FORM, {"job_type": "sample.nested", **data})
    assert response.status_code == 200
    assert message in " ".join(response.context["errors"][field])
    assert not Job.objects.exists()


def test_what_was_typed_wrong_stays_as_it_was_typed(browser: Client) -> None:
    page = browser.post(FORM, {"job_type": "sample.echo", "params": '{"value":  1,'})
    assert "{&quot;value&quot;:  1," in page.content.decode()


def test_the_same_key_finds_the_first_job_or_says_that_it_is_taken(browser: Client) -> None:
    data = {"job_type": "sample.echo", "params": '{"value": 1}', "idempotency_key": "once"}
    browser.post(FORM, data)
    page = browser.post(FORM, data, follow=True).content.decode()
    assert "That key has a job already." in page
    response = browser.post(FORM, {**data, "params": '{"value": 2}'})
    assert "has other parameters" in " ".join(response.context["errors"]["idempotency_key"])
    assert Job.objects.count() == 1


def test_the_form_lists_each_type_with_its_parameters(browser: Client) -> None:
    page = browser.get(f"{FORM}?job_type=sample.work").content.decode()
    assert "sample.work — Leave a line in a file" in page
    assert "&quot;path&quot;: &quot;&quot;" in page  # what it requires is there to be filled in
    opened = page.split('<details name="job-type" open>')[1].split("</details>")[0]
    assert "sample.work" in opened
    for told in ("path", "label", "seconds", "required", "number"):
        assert told in opened


def test_submitting_needs_its_permission(browser_of: Callable[..., Client]) -> None:
    browser = browser_of("view_job", "submit_job")
    assert "Submit a job" in browser.get("/admin/jobs/job/").content.decode()
    assert browser.post(FORM, {"job_type": "sample.echo", "params": "{}"}).status_code == 302
    assert Job.objects.count() == 1
