from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.utils import timezone

from jobs.admin import bulk
from jobs.backends.memory import drain
from jobs.domain.states import State
from jobs.models import AuditEntry, Job
from jobs.services import steering
from jobs.services.submission import submit

JobIn = Callable[..., Job]
LIST = "/admin/jobs/job/"


def address(job: Job, act: str) -> str:
    return f"/admin/jobs/job/{job.pk}/{act}/"


def act_on(browser: Client, action: str, *jobs: Job, query: str = "", **more: str) -> str:
    """Choose an action in the list and return the page that follows."""
    data = {"action": action, "_selected_action": [str(job.pk) for job in jobs], **more}
    response = browser.post(f"{LIST}?{query}", data, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def state_of(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


def test_retry_queues_the_job_again_and_it_runs(browser: Client, tmp_path: object) -> None:
    params = {"kind": "permanent", "path": f"{tmp_path}/witness", "fail_times": 1}
    job = Job.objects.get(pk=submit("sample.trouble", params).job_id)
    drain()
    assert state_of(job) == State.FAILED
    page = browser.post(address(job, "retry"), follow=True).content.decode()
    assert "queued again" in page
    assert state_of(job) == State.QUEUED
    drain()
    assert state_of(job) == State.COMPLETED
    assert AuditEntry.objects.filter(actor="root", action="job.retry", target_id=job.pk).exists()


def test_cancel_ends_a_waiting_job_at_once(browser: Client, job_in: JobIn) -> None:
    job = job_in()
    page = browser.post(address(job, "cancel"), follow=True).content.decode()
    assert "The job is cancelled." in page
    assert state_of(job) == State.CANCELLED
    assert AuditEntry.objects.filter(actor="root", action="job.cancel", target_id=job.pk).exists()


def test_cancel_asks_a_running_job_to_stop(browser: Client, job_in: JobIn) -> None:
    job = job_in(State.RUNNING)
    page = browser.post(address(job, "cancel"), follow=True).content.decode()
    assert "asked to stop" in page
    assert state_of(job) == State.RUNNING
    assert Job.objects.get(pk=job.pk).cancel_requested_at is not None


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        (State.QUEUED, {"cancel"}),
        (State.SCHEDULED, {"cancel"}),
        (State.RUNNING, {"cancel"}),
        (State.RETRYING, {"cancel"}),
        (State.COMPLETED, {"delete"}),
        (State.FAILED, {"retry", "delete"}),
        (State.CANCELLED, {"retry", "delete"}),
    ],
)
def test_only_the_buttons_that_the_state_allows_are_there(
    browser: Client, job_in: JobIn, state: State, buttons: set[str]
) -> None:
    job = job_in(state)
    page = browser.get(f"/admin/jobs/job/{job.pk}/change/").content.decode()
    offered = {act for act in ("retry", "cancel", "delete") if address(job, act) in page}
    assert offered == buttons


def test_what_the_state_does_not_allow_is_refused_with_the_reason(
    browser: Client, job_in: JobIn
) -> None:
    job = job_in(State.COMPLETED)
    page = browser.post(address(job, "retry"), follow=True).content.decode()
    assert "only failed and cancelled jobs can be retried" in page
    page = browser.post(address(job, "cancel"), follow=True).content.decode()
    assert "cannot be cancelled any more" in page
    assert state_of(job) == State.COMPLETED


def test_a_user_who_may_only_look_sees_no_buttons_and_cannot_post(
    browser_of: Callable[..., Client], job_in: JobIn
) -> None:
    browser = browser_of("view_job")
    failed, queued = job_in(State.FAILED), job_in()
    for job, acts in ((failed, ("retry", "delete")), (queued, ("cancel",))):
        page = browser.get(f"/admin/jobs/job/{job.pk}/change/").content.decode()
        for act in acts:
            assert address(job, act) not in page
            assert browser.post(address(job, act)).status_code == 403
    page = browser.get(LIST).content.decode()
    assert "Submit a job" not in page
    assert 'name="action"' not in page
    act_on(browser, "retry_selected", failed)
    act_on(browser, "cancel_selected", queued)
    assert browser.post("/admin/jobs/job/add/", {"job_type": "sample.echo"}).status_code == 403
    assert (state_of(failed), state_of(queued)) == (State.FAILED, State.QUEUED)
    assert Job.objects.count() == 2


def test_each_permission_opens_its_own_button(
    browser_of: Callable[..., Client], job_in: JobIn
) -> None:
    browser = browser_of("view_job", "retry_job")
    failed, queued = job_in(State.FAILED), job_in()
    assert browser.post(address(failed, "retry")).status_code == 302
    assert browser.post(address(queued, "cancel")).status_code == 403
    assert (state_of(failed), state_of(queued)) == (State.QUEUED, State.QUEUED)


def test_a_permission_to_act_without_one_to_look_is_not_enough(
    browser_of: Callable[..., Client], job_in: JobIn
) -> None:
    job = job_in(State.FAILED)
    assert browser_of("retry_job").post(address(job, "retry")).status_code == 403


def test_a_link_cannot_act(browser: Client, job_in: JobIn) -> None:
    job = job_in(State.FAILED)
    assert browser.get(address(job, "retry")).status_code == 405
    assert state_of(job) == State.FAILED


def test_another_site_cannot_act(site_admin: User, job_in: JobIn) -> None:
    job = job_in(State.FAILED)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(site_admin)
    assert browser.post(address(job, "retry")).status_code == 403
    assert state_of(job) == State.FAILED


def test_acting_on_an_unknown_job_is_not_found(browser: Client) -> None:
    assert browser.post(f"/admin/jobs/job/{uuid4()}/retry/").status_code == 404


def test_retry_selected_tells_how_many_and_why_not_the_others(
    browser: Client, job_in: JobIn
) -> None:
    failed, cancelled, completed = (
        job_in(state) for state in (State.FAILED, State.CANCELLED, State.COMPLETED)
    )
    page = act_on(browser, "retry_selected", failed, cancelled, completed)
    assert "2 jobs queued again." in page
    assert "1 job could not be retried" in page
    assert f"…{str(completed.pk)[-8:]} is completed" in page
    assert [state_of(job) for job in (failed, cancelled, completed)] == [
        State.QUEUED, State.QUEUED, State.COMPLETED,
    ]  # fmt: skip


def test_cancel_selected_tells_how_many_stop_later(browser: Client, job_in: JobIn) -> None:
    queued, running, failed = (
        job_in(state) for state in (State.QUEUED, State.RUNNING, State.FAILED)
    )
    page = act_on(browser, "cancel_selected", queued, running, failed)
    assert "1 job cancelled." in page
    assert "1 job asked to stop" in page
    assert "1 job could not be cancelled" in page
    assert state_of(queued) == State.CANCELLED


def test_an_action_on_all_that_match_stays_within_the_filter(
    browser: Client, job_in: JobIn
) -> None:
    failed, other = [job_in(State.FAILED) for _ in range(3)], job_in(State.CANCELLED)
    page = act_on(browser, "retry_selected", failed[0], query="state=failed", select_across="1")
    assert "3 jobs queued again." in page
    assert state_of(other) == State.CANCELLED


def test_an_action_on_more_than_one_request_can_do_says_so(
    browser: Client, job_in: JobIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    jobs = [job_in(State.FAILED) for _ in range(3)]
    page = act_on(browser, "retry_selected", *jobs)
    assert "2 jobs queued again." in page
    assert "Only the 2 oldest were looked at" in page
    assert [state_of(job) for job in jobs] == [State.QUEUED, State.QUEUED, State.FAILED]


def test_a_job_that_is_not_final_cannot_be_deleted(browser: Client, job_in: JobIn) -> None:
    job = job_in(State.RUNNING)
    assert browser.post(address(job, "delete"), {"post": "yes"}).status_code == 403
    page = act_on(browser, "delete_selected", job, job_in(State.COMPLETED), post="yes")
    assert "is running: cancel it first" in page
    assert "protected related objects" not in page
    assert Job.objects.count() == 2


def test_final_jobs_are_deleted_with_what_belongs_to_them(browser: Client, job_in: JobIn) -> None:
    one, other = job_in(State.COMPLETED), job_in(State.FAILED)
    one.log_lines.create(run=1, at=timezone.now() - timedelta(minutes=1), message="x")
    assert browser.post(address(one, "delete"), {"post": "yes"}).status_code == 302
    act_on(browser, "delete_selected", other, post="yes")
    assert not Job.objects.exists()
    assert AuditEntry.objects.filter(action="job.delete", actor="root").count() == 2


def test_deleting_needs_its_permission(browser_of: Callable[..., Client], job_in: JobIn) -> None:
    job = job_in(State.COMPLETED)
    browser = browser_of("view_job", "retry_job")
    assert "delete_selected" not in browser.get(LIST).content.decode()
    assert browser.post(address(job, "delete"), {"post": "yes"}).status_code == 403
    assert Job.objects.filter(pk=job.pk).exists()


def test_a_job_that_was_retried_after_the_confirmation_stays(
    site_admin: User, job_in: JobIn, rf: RequestFactory
) -> None:
    job = job_in(State.FAILED)
    request = rf.post("/")
    request.user = site_admin
    steering.retry(job.pk, actor="ada")
    admin.site.get_model_admin(Job).delete_model(request, job)
    assert state_of(job) == State.QUEUED
