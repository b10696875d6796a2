from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jobs.models import AuditEntry, Schedule
from jobs.public import create_schedule
from jobs.services import scheduling

NEW = "/admin/jobs/schedule/add/"
ADD = f"{NEW}?job_type=sample.nested"


def form(**changes: str) -> dict[str, str]:
    return {
        "name": "nightly",
        "enabled": "on",
        "params.period": '{"start": 1}',
        "cron": "30 2 * * 1-5",
        "timezone": "Europe/Berlin",
        "priority": "",
        "overlap": "run",
        "missed": "once",
        "jitter_seconds": "0",
        **changes,
    }


@pytest.fixture
def schedule(db: None) -> Schedule:
    return create_schedule(
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
        ({"params.period": '{"start": "x"}'}, "params.period", "start: Input should be"),
        ({"params.period": "{,}"}, "params.period", "This is not JSON"),
        ({"params.period": ""}, "params.period", "required"),
        ({"name": ""}, "name", "required"),
    ],
)
def test_an_error_stands_on_its_field_and_nothing_is_stored(
    browser: Client, changes: dict[str, str], field: str, message: str
) -> None:
    page = browser.post(ADD, form() | changes).content.decode()
    row = page.split(f"field-{field}")[1].split('<div class="form-row')[0]
    assert message in row
    assert not Schedule.objects.exists()


def test_every_wrong_field_is_told_at_once(browser: Client) -> None:
    data = form(cron="61 * * *", timezone="Mars/Base") | {"params.period": "1"}
    errors: Any = browser.post(ADD, data).context["adminform"].errors
    assert len(errors) == 3


def test_a_name_that_is_taken_is_refused(browser: Client, schedule: Schedule) -> None:
    page = browser.post(ADD, form()).content.decode()
    assert "exists already" in page


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


def test_a_change_of_the_parameters_is_recorded_by_name(
    browser: Client, schedule: Schedule
) -> None:
    address = f"/admin/jobs/schedule/{schedule.pk}/change/"
    assert "&quot;start&quot;: 1" in page_of(browser, schedule)
    browser.post(address, form() | {"params.period": '{"start": 2}'})
    schedule.refresh_from_db()
    assert schedule.params == {"period": {"start": 2}}
    entry = AuditEntry.objects.get(action="schedule.change")
    assert entry.details["changed"] == ["params.period"]


def test_the_job_type_can_be_changed(browser: Client, schedule: Schedule) -> None:
    address = f"/admin/jobs/schedule/{schedule.pk}/change/"
    assert 'href="?job_type="' in page_of(browser, schedule)
    assert 'href="?job_type=sample.work"' in browser.get(f"{address}?job_type=").content.decode()
    other = f"{address}?job_type=sample.work"
    assert 'action="?job_type=sample.work"' in browser.get(other).content.decode()
    data = form() | {"params.path": "x", "params.seconds": "0"}
    assert browser.post(other, data).status_code == 302
    schedule.refresh_from_db()
    assert (schedule.job_type, schedule.params["path"]) == ("sample.work", "x")
    entry = AuditEntry.objects.get(action="schedule.change")
    assert entry.details["changed"] == ["job_type", "params.path"]


def test_defaults_of_the_parameters_are_filled_in(browser: Client) -> None:
    data = form() | {"params.path": "x"}
    browser.post(f"{NEW}?job_type=sample.work", data)
    assert Schedule.objects.get().params == {"path": "x", "label": "", "seconds": 0.0}


def test_what_was_chosen_in_the_list_stays_with_the_form(browser: Client) -> None:
    page = browser.get(f"{ADD}&_changelist_filters=enabled%3D1").content.decode()
    assert 'action="?_changelist_filters=enabled%3D1&amp;job_type=sample.nested"' in page


def test_a_type_is_chosen_first(browser: Client) -> None:
    page = browser.get(NEW).content.decode()
    link = page.split('href="?job_type=sample.echo"')[1].split("</a>")[0]
    assert "Return what it was given." in link
    assert browser.post(NEW, form()).status_code == 200
    assert not Schedule.objects.exists()


def test_the_form_offers_zones_and_asks_for_the_parameters(browser: Client) -> None:
    page = browser.get(ADD).content.decode()
    assert '<option value="Europe/Berlin"></option>' in page
    assert 'name="params.period"' in page
    assert "JSON: an object with start (integer)." in page


def test_a_type_that_is_gone_keeps_its_parameters_in_the_form(
    browser: Client, schedule: Schedule
) -> None:
    Schedule.objects.update(job_type="gone.type", last_error="job type 'gone.type' is away")
    page = page_of(browser, schedule)
    assert "is no longer registered" in page
    assert "The last occurrence made no job:" in page
    assert "&quot;start&quot;: 1" in page
    address = f"/admin/jobs/schedule/{schedule.pk}/change/"
    response = browser.post(address, form() | {"parameters": "{}"})
    assert "job type &#x27;gone.type&#x27; is not registered" in response.content.decode()
    schedule.refresh_from_db()
    assert schedule.params == {"period": {"start": 1}}


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


def test_its_policies_are_stored_and_what_cannot_be_is_told(
    browser: Client, schedule: Schedule
) -> None:
    address = f"/admin/jobs/schedule/{schedule.pk}/change/"
    begin = {"starts_at_0": "2031-01-01", "starts_at_1": "00:00:00"}
    policies = {"overlap": "queue_one", "missed": "skip", "jitter_seconds": "30"}
    assert browser.post(address, form(**policies, **begin)).status_code == 302
    schedule.refresh_from_db()
    assert (schedule.overlap, schedule.missed, schedule.jitter_seconds) == ("queue_one", "skip", 30)
    assert schedule.starts_at == datetime(2031, 1, 1, tzinfo=UTC)
    assert schedule.next_run_at is not None
    assert schedule.next_run_at > schedule.starts_at
    end = {"ends_at_0": "2030-01-01", "ends_at_1": "00:00:00"}
    wrong = browser.post(address, form(jitter_seconds="90000", **begin, **end))
    errors = wrong.context["adminform"].form.errors
    assert set(errors) == {"ends_at", "jitter_seconds"}
