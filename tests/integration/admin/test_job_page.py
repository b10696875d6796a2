import logging
import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from jobs.backends.memory import drain
from jobs.domain.states import State
from jobs.models import Job, LogLine, Worker
from jobs.public import create_schedule
from jobs.services import steering
from jobs.services.submission import submit
from notifications.models import Delivery

JobIn = Callable[..., Job]
XSS = "<script>alert(1)</script>"


def page_of(browser: Client, job: Job) -> str:
    response = browser.get(f"/admin/jobs/job/{job.pk}/change/")
    assert response.status_code == 200
    return response.content.decode()


def failed_job() -> Job:
    """Return a job that spent three attempts."""
    job_id = submit("sample.trouble", {"kind": "error"}).job_id
    for minutes in range(4):
        drain(now=timezone.now() + timedelta(minutes=minutes))
    job = Job.objects.get(pk=job_id)
    assert job.state == State.FAILED
    return job


def test_a_failed_job_tells_its_reason_attempts_and_tracebacks(browser: Client) -> None:
    page = page_of(browser, failed_job())
    assert "retries exhausted" in page
    assert "it broke" in page
    for number in (1, 2, 3):
        assert f"Attempt {number}" in page
    assert page.count("<summary>Traceback</summary>") == 3
    assert "raise RuntimeError(&quot;it broke&quot;)" in page


def test_attempts_after_a_retry_by_hand_are_told_from_those_before(browser: Client) -> None:
    job = failed_job()
    steering.retry(job.pk, actor="ada")
    drain(now=timezone.now() + timedelta(minutes=5))
    attempts = page_of(browser, job).split("<h2>Attempts</h2>")[1]
    told = re.findall(r"<strong>(.+?)</strong>", attempts)
    assert told == ["Attempt 1", "Attempt 2", "Attempt 3", "Run 4, attempt 1"]


def test_the_next_run_of_a_past_attempt_was_due(browser: Client, job_in: JobIn) -> None:
    now = timezone.now()
    job = job_in(State.RETRYING, run_at=now + timedelta(hours=2), run=2)
    for run, due in ((1, now - timedelta(minutes=4)), (2, now + timedelta(hours=2))):
        job.ended_attempts.create(
            run=run, number=run, outcome="error", started_at=now, finished_at=now, retry_at=due
        )
    page = page_of(browser, job)
    assert page.count("Next run was due <time") == 1
    assert page.count("Next run due <time") == 1


def test_a_page_refreshes_itself_until_the_job_is_final(browser: Client, job_in: JobIn) -> None:
    assert " data-refresh>" in page_of(browser, job_in(State.RUNNING))
    assert " data-refresh>" not in page_of(browser, job_in(State.FAILED))


def test_a_page_that_refreshes_itself_takes_no_message(browser: Client, job_in: JobIn) -> None:
    job = job_in(State.FAILED)
    browser.post(f"/admin/jobs/job/{job.pk}/retry/")
    address = f"/admin/jobs/job/{job.pk}/change/"
    refreshed = browser.get(address, headers={"X-Refresh": "1"}).content.decode()
    assert "queued again" not in refreshed
    assert "queued again" in page_of(browser, job)


def test_a_completed_job_shows_parameters_and_result_as_json(browser: Client) -> None:
    job_id = submit("sample.echo", {"value": {"grüße": [1, 2]}}).job_id
    drain()
    page = page_of(browser, Job.objects.get(pk=job_id))
    assert page.count("&quot;grüße&quot;: [\n") == 2
    assert "<h2>Result</h2>" in page


def test_a_running_job_shows_its_progress_and_its_worker(browser: Client, job_in: JobIn) -> None:
    now = timezone.now()
    worker = Worker.objects.create(
        name="celery@one", host="one", pid=7, version="1", queues=["normal"], started_at=now,
        seen_at=now, expires_at=now + timedelta(seconds=30),
    )  # fmt: skip
    job = job_in(State.RUNNING, worker=worker, pid=8, progress=42, progress_message="reading")
    page = page_of(browser, job)
    assert '<progress id="job-progress" max="100" value="42">' in page
    assert "reading" in page
    assert f'<a href="/admin/jobs/worker/{worker.pk}/change/">celery@one</a>' in page


def test_a_job_whose_worker_is_forgotten_still_has_its_page(browser: Client, job_in: JobIn) -> None:
    assert "sample.echo" in page_of(browser, job_in(State.COMPLETED, worker_id=uuid4()))


def test_what_a_job_waits_for_is_said(browser: Client, job_in: JobIn) -> None:
    later = timezone.now() + timedelta(minutes=20, seconds=30)
    assert "queue <code>normal</code>" in page_of(browser, job_in())
    assert "in 20 min" in page_of(browser, job_in(State.SCHEDULED, run_at=later))
    retrying = page_of(browser, job_in(State.RETRYING, run_at=later))
    assert "in 20 min" in retrying
    assert "1 of 4 attempts are spent" in retrying


def test_a_requested_cancellation_is_noticed_and_not_offered_again(
    browser: Client, job_in: JobIn
) -> None:
    page = page_of(browser, job_in(State.RUNNING, cancel_requested_at=timezone.now()))
    assert "Someone asked for this job to stop" in page
    assert "Cancel job" not in page


def test_the_timeline_says_who_retried(browser: Client, site_admin: User) -> None:
    job = failed_job()
    steering.retry(job.pk, actor="ada")
    timeline = page_of(browser, job).split('class="job-timeline"')[1].split("</ol>")[0]
    states = re.findall(r"job-badge--(\w+)", timeline)
    assert states[:2] == ["queued", "running"]
    assert states[-1] == "queued"
    assert "by ada" in timeline


def test_log_lines_come_in_order_with_their_fields(browser: Client, job_in: JobIn) -> None:
    job = job_in(State.RUNNING)
    for number in range(3):
        LogLine.objects.create(
            job=job, run=1, at=timezone.now(), level=logging.WARNING, message=f"line {number}",
            fields={"answer": number},
        )  # fmt: skip
    page = page_of(browser, job)
    assert page.index("line 0") < page.index("line 1") < page.index("line 2")
    assert "WARNING" in page
    assert "answer=2" in page


def test_a_long_log_shows_its_newest_lines(browser: Client, job_in: JobIn) -> None:
    job, now = job_in(State.RUNNING), timezone.now()
    LogLine.objects.bulk_create(
        LogLine(job=job, run=1, at=now, message=f"line {number:03}") for number in range(250)
    )
    page = page_of(browser, job)
    assert "The newest 200 lines" in page
    assert "line 049" not in page
    assert "line 050" in page
    assert "line 249" in page


def test_schedule_parent_children_and_deliveries_are_linked(browser: Client, job_in: JobIn) -> None:
    schedule = create_schedule("nightly", "sample.echo", cron="0 2 * * *")
    parent = job_in()
    job = job_in(State.COMPLETED, schedule=schedule, parent=parent)
    child = job_in(parent=job)
    delivery = Delivery.objects.create(
        job=job, channel="email", recipient="ada@example.org", template="digest"
    )
    page = page_of(browser, job)
    assert f'<a href="/admin/jobs/schedule/{schedule.pk}/change/">nightly</a>' in page
    assert f'<a href="/admin/jobs/job/{parent.pk}/change/">' in page
    assert f'<a href="/admin/jobs/job/{child.pk}/change/">' in page
    assert f'<a href="/admin/notifications/delivery/{delivery.pk}/change/">' in page


def test_rows_of_other_apps_show_only_to_those_who_may_see_them(
    browser_of: Callable[..., Client], job_in: JobIn
) -> None:
    job = job_in(State.COMPLETED)
    Delivery.objects.create(job=job, channel="email", recipient="a@b.c", template="digest")
    assert "Deliveries" not in page_of(browser_of("view_job"), job)


def test_nothing_that_a_job_holds_becomes_markup(browser: Client, job_in: JobIn) -> None:
    job = job_in(
        State.FAILED,
        params={"value": {XSS: XSS}},
        result=XSS,
        error=f"{XSS}\nmore",
        error_type=XSS,
        progress_message=XSS,
        idempotency_key=XSS,
    )
    job.ended_attempts.create(
        run=1, number=1, outcome="error", started_at=job.created_at, finished_at=timezone.now(),
        error=XSS, error_type=XSS, traceback=XSS, worker_name=XSS,
    )  # fmt: skip
    LogLine.objects.create(job=job, run=1, at=timezone.now(), message=XSS, fields={XSS: XSS})
    for address in (f"/admin/jobs/job/{job.pk}/change/", "/admin/jobs/job/", "/admin/"):
        page = browser.get(address).content.decode()
        assert XSS not in page
        assert "&lt;script&gt;" in page


def test_a_strict_content_security_policy_is_possible(browser: Client, job_in: JobIn) -> None:
    job = job_in(State.FAILED)
    schedule = create_schedule("nightly", "sample.echo", cron="0 2 * * *")
    for path in (
        "", "jobs/job/", f"jobs/job/{job.pk}/change/", "jobs/job/add/", "jobs/schedule/",
        "jobs/schedule/add/", f"jobs/schedule/{schedule.pk}/change/", "jobs/worker/",
        "jobs/auditentry/",
    ):  # fmt: skip
        page = browser.get(f"/admin/{path}").content.decode()
        assert not re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", page), path
        assert not re.findall(r"<style|<[^>]+\s(?:style|on[a-z]+)=", page), path


def test_the_page_takes_the_same_few_queries_however_much_happened(
    browser: Client, job_in: JobIn, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    job, now = failed_job(), timezone.now()
    LogLine.objects.bulk_create(LogLine(job=job, run=1, at=now, message="x") for _ in range(20))
    for number in range(10):
        job_in(parent=job)
        Delivery.objects.create(
            job=job, channel="email", recipient=f"{number}@b.c", template="digest"
        )
    with django_assert_max_num_queries(20):
        page_of(browser, job)


def test_an_unknown_id_leads_back_with_a_message(browser: Client) -> None:
    response = browser.get(f"/admin/jobs/job/{uuid4()}/change/", follow=True)
    assert "exist. Perhaps it was deleted?" in response.content.decode()


def test_it_tells_what_a_job_waits_for_and_what_waits_for_it(browser: Client) -> None:
    parent = submit("sample.echo", delay=timedelta(hours=1)).job_id
    child = submit("sample.echo", depends_on=[parent]).job_id
    page = page_of(browser, Job.objects.get(pk=child))
    assert "It waits for other jobs to end." in page
    assert f"/admin/jobs/job/{parent}/change/" in page.split("Waits for")[1]
    assert (
        f"/admin/jobs/job/{child}/change/"
        in (page_of(browser, Job.objects.get(pk=parent)).split("Followed by")[1])
    )
    Job.objects.filter(pk=parent).delete()
    assert "removed" in page_of(browser, Job.objects.get(pk=child)).split("Waits for")[1]
