from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jobs.models import AuditEntry, Schedule
from jobs.services import scheduling

ADD = "/admin/jobs/schedule/add/"


def form(**changes: str) -> dict[str, str]:
    return {
        "name": "nightly",
        "enabled": "on",
        "job_type": "sample.nested",
        "params": '{"period": {"start": 1}}',
        "cron": "30 2 * * 1-5",
        "timezone": "Europe/Berlin",
        "priority": "",
        **changes,
    }


@pytest.fixture
def schedule(db: None) -> Schedule:
    return scheduling.create_schedule(
        "nightly",
        "sample.nested",
        cron="30 2 * * 1-5",
        time_zone="Europe/Berlin",
        params={"period": {"start": 1}},
    )


def page_of(browser: Client, schedule: Schedule) -> str:
    return browser.get(f"/admin/jobs/schedule/{schedule.pk}/change/").content.decode()


def test_a_schedule_is_stored_with_its_next_run(browser: Client) -> None:
    response = browser.post(ADD, form())
    assert response.status_code == 302, response.context["errors"]
    schedule = Schedule.objects.get()
    assert schedule.params == {"period": {"start": 1}}
    assert schedule.next_run_at is not None
    assert schedule.next_run_at > timezone.now()
    entry = AuditEntry.objects.get(action="schedule.create")
    assert (entry.actor, entry.target_id) == ("root", str(schedule.pk))


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"cron": "61 * * *"}, "cron", "has 4 fields; it needs 5"),
        ({"cron": "0 0 31 2 *"}, "cron", "never occurs"),
        ({"cron": "nonsense at all * *"}, "cron", "cannot be read"),
        ({"timezone": "Mars/Base"}, "timezone", "&#x27;Mars/Base&#x27; is not in the IANA"),
        ({"timezone": "../etc/passwd"}, "timezone", "is not in the IANA"),
        ({"params": '{"period": {"start": "x"}}'}, "params", "period.start: "),
        ({"params": "{,}"}, "params", "This is not JSON"),
        ({"job_type": "no.such"}, "job_type", "not one of the available choices"),
        ({"job_type": ""}, "job_type", "required"),
        ({"name": ""}, "name", "required"),
    ],
)
def test_an_error_stands_on_its_field_and_nothing_is_stored(
    browser: Client, changes: dict[str, str], field: str, message: str
) -> None:
    page = browser.post(ADD, form(**changes)).content.decode()
    row = page.split(f"field-{field}")[1].split('<div class="form-row')[0]
    assert message in row
    assert not Schedule.objects.exists()


def test_every_wrong_field_is_told_at_once(browser: Client) -> None:
    data = form(cron="61 * * *", timezone="Mars/Base", params='{"period": 1}')
    errors: Any = browser.post(ADD, data).context["adminform"].errors
    assert len(errors) == 3


def test_a_name_that_is_taken_is_refused(browser: Client, schedule: Schedule) -> None:
    page = browser.post(ADD, form()).content.decode()
    assert "already exists" in page


def test_a_change_moves_the_next_run(browser: Client, schedule: Schedule) -> None:
    before = schedule.next_run_at
    address = f"/admin/jobs/schedule/{schedule.pk}/change/"
    assert browser.post(address, form(cron="* * * * *")).status_code == 302
    schedule.refresh_from_db()
    assert schedule.next_run_at is not None
    assert before is not None
    assert schedule.next_run_at < before
    assert AuditEntry.objects.get(action="schedule.change").details["changed"] == ["cron"]
    off = form()
    del off["enabled"]
    browser.post(address, off)
    schedule.refresh_from_db()
    assert schedule.next_run_at is None


def test_defaults_of_the_parameters_are_filled_in(browser: Client) -> None:
    browser.post(ADD, form(job_type="sample.work", params='{"path": "x"}'))
    assert Schedule.objects.get().params == {"path": "x", "label": "", "seconds": 0.0}


def test_the_form_offers_types_zones_and_the_parameters_of_each_type(browser: Client) -> None:
    page = browser.get(f"{ADD}?job_type=sample.nested").content.decode()
    assert "sample.echo — Return what it was given." in page
    assert '<option value="Europe/Berlin"></option>' in page
    assert '<option value="sample.nested" selected>' in page
    opened = page.split('<details name="job-type" open>')[1].split("</details>")[0]
    assert "object with start" in opened
    assert "required" in opened


def test_a_type_that_is_gone_keeps_its_place_in_the_form(
    browser: Client, schedule: Schedule
) -> None:
    Schedule.objects.update(job_type="gone.type", last_error="job type 'gone.type' is away")
    page = page_of(browser, schedule)
    assert "gone.type — no longer registered" in page
    assert "The last occurrence made no job:" in page
    address = f"/admin/jobs/schedule/{schedule.pk}/change/"
    response = browser.post(address, form(job_type="gone.type"))
    errors: Any = response.context["adminform"].errors
    assert "not registered" in " ".join(errors["job_type"])


def test_a_user_who_may_only_look_cannot_change(
    browser_of: Callable[..., Client], schedule: Schedule
) -> None:
    browser = browser_of("view_schedule")
    page = page_of(browser, schedule)
    assert "30 2 * * 1-5" in page
    assert "Run now" not in page
    assert 'name="_save"' not in page
    address = f"/admin/jobs/schedule/{schedule.pk}/change/"
    assert browser.post(address, form(cron="* * * * *")).status_code == 403
    assert browser.post(ADD, form(name="other")).status_code == 403
    schedule.refresh_from_db()
    assert schedule.cron == "30 2 * * 1-5"


def test_deleting_a_schedule_keeps_its_jobs(browser: Client, schedule: Schedule) -> None:
    submission = scheduling.trigger(schedule, actor="root")
    address = f"/admin/jobs/schedule/{schedule.pk}/delete/"
    assert browser.post(address, {"post": "yes"}).status_code == 302
    assert not Schedule.objects.exists()
    assert browser.get(f"/admin/jobs/job/{submission.job_id}/change/").status_code == 200
    assert AuditEntry.objects.filter(action="schedule.delete", actor="root").exists()
