from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone
from pytest_django import Settings

from jobs import PermanentError, Retry, Snooze
from jobs.public import QueueFull, UnknownJobType
from notifications import deliveries
from notifications.channels.base import DeliveryError
from notifications.models import Delivery
from tests.integration.notifications.conftest import SendJob
from tests.servers.http import Answer, HttpServer
from tests.servers.mail import MailServer
from tests.servers.slack import SlackServer

State = Delivery.State


def states(job: SendJob) -> dict[str, str]:
    rows = Delivery.objects.filter(job=job.job)
    return {row.recipient.partition("@")[0]: row.state for row in rows}


def test_each_recipient_gets_one_message_and_one_row(job: SendJob, mail_server: MailServer) -> None:
    result = job.run(to=["ann@example.com", "ben@example.com", "ann@example.com"])

    assert result == {"delivered": 2, "failed": 0, "skipped": 0}
    assert mail_server.recipients() == ["ann@example.com", "ben@example.com"]
    row = job.job.deliveries.get(recipient="ann@example.com")
    assert (row.channel, row.template, row.subject) == ("email", "message", "Hi")
    assert (row.state, row.attempts, row.answer) == (State.DELIVERED, 1, "250")
    assert row.delivered_at is not None
    assert mail_server.messages[0]["Message-ID"] == f"<{row.pk}@example.org>"


def test_a_retry_sends_only_what_did_not_arrive(job: SendJob, mail_server: MailServer) -> None:
    everyone = ["ann@example.com", "busy@example.com", "ben@example.com"]
    with pytest.raises(Retry, match=r"1 of 3 recipients .*not permanent.*451"):
        job.run(to=everyone)
    assert states(job) == {"ann": State.DELIVERED, "ben": State.DELIVERED, "busy": State.RETRYING}

    mail_server.recovered.add("busy@example.com")
    assert job.run(to=everyone, attempt=2) == {"delivered": 1, "failed": 0, "skipped": 2}
    assert sorted(mail_server.recipients()) == sorted(everyone)
    assert job.job.deliveries.get(recipient="busy@example.com").attempts == 2


def test_refused_for_good_fails_the_job_once_the_others_are_served(
    job: SendJob, mail_server: MailServer
) -> None:
    everyone = ["nobody@example.com", "busy@example.com", "ann@example.com"]
    with pytest.raises(Retry):
        job.run(to=everyone)

    mail_server.recovered.update({"busy@example.com", "nobody@example.com"})
    with pytest.raises(PermanentError, match="1 of 3 recipients refused for good"):
        job.run(to=everyone, attempt=2)
    # By itself the job does not try again what was refused for good.
    assert sorted(mail_server.recipients()) == ["ann@example.com", "busy@example.com"]
    row = job.job.deliveries.get(recipient="nobody@example.com")
    assert (row.state, row.permanent, row.attempts) == (State.FAILED, True, 1)
    assert "550" in row.last_error
    assert "SECRET" not in row.last_error

    # Someone retries the job by hand.
    assert job.run(to=everyone) == {"delivered": 1, "failed": 0, "skipped": 2}
    assert mail_server.recipients()[-1] == "nobody@example.com"


def test_the_last_attempt_leaves_nothing_waiting(job: SendJob, mail_server: MailServer) -> None:
    with pytest.raises(Retry):
        job.run(to=["busy@example.com", "ann@example.com"], attempt=4)
    row = job.job.deliveries.get(recipient="busy@example.com")
    assert (row.state, row.permanent) == (State.FAILED, False)


def test_a_server_that_is_down_is_asked_once_and_the_rest_waits(
    job: SendJob, mail_server: MailServer, settings: Settings
) -> None:
    working, settings.EMAIL_URL = settings.EMAIL_URL, "smtp://127.0.0.1:1"
    everyone = [f"{number}@example.com" for number in range(20)]
    with pytest.raises(Retry, match="20 of 20"):
        job.run(to=everyone)
    assert set(states(job).values()) == {State.RETRYING}
    assert len(job.log.lines) == 1

    settings.EMAIL_URL = working
    assert job.run(to=everyone, attempt=2)["delivered"] == 20


def test_the_longest_wait_that_was_asked_for_is_obeyed(
    job: SendJob, http_server: HttpServer
) -> None:
    http_server.answers = {
        "/a": Answer(429, {"Retry-After": "7"}),
        "/b": Answer(503, {"Retry-After": "40"}),
        "/c": Answer(500),
        "/d": Answer(),
    }
    with pytest.raises(Retry) as retry:
        job.run(channel="webhook", to=[http_server.url(path) for path in http_server.answers])
    assert retry.value.after == timedelta(seconds=40)


def test_without_such_a_wait_the_back_off_decides(job: SendJob, http_server: HttpServer) -> None:
    http_server.answers["/x"] = Answer(500)
    with pytest.raises(Retry) as retry:
        job.run(channel="webhook", to=http_server.url("/x"))
    assert retry.value.after is None


def test_a_webhook_is_the_same_in_every_attempt(job: SendJob, http_server: HttpServer) -> None:
    http_server.answers["/x"] = Answer(500)
    with pytest.raises(Retry):
        job.run(channel="webhook", to=http_server.url("/x"))
    http_server.answers["/x"] = Answer()
    job.run(channel="webhook", to=http_server.url("/x"), attempt=2)

    first, second = http_server.requests
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.json["type"] == "message"
    assert first.json["data"] == {"title": "Hi", "body": "text"}


def test_a_slack_rate_limit_stops_the_round(job: SendJob, slack_server: SlackServer) -> None:
    with pytest.raises(Retry) as retry:
        job.run(channel="slack", to=["#limited", "#zebra"])
    assert retry.value.after == timedelta(seconds=30)
    assert len(slack_server.requests) == 1


def test_a_crash_between_sending_and_recording_repeats_under_the_same_id(
    job: SendJob, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as crashing:
        crashing.setattr(deliveries, "record_delivered", crash)
        with pytest.raises(SystemExit):
            job.run(to=["ann@example.com"])
    assert states(job) == {"ann": State.SENDING}

    job.run(to=["ann@example.com"], attempt=2)
    first, second = mail_server.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert states(job) == {"ann": State.DELIVERED}


def test_a_replaced_run_neither_sends_nor_overwrites(job: SendJob, mail_server: MailServer) -> None:
    with pytest.raises(Retry):
        job.run(to="busy@example.com")
    row = job.job.deliveries.get()
    late = Delivery.objects.get(pk=row.pk)

    assert deliveries.claim(row)
    assert not deliveries.claim(late)
    deliveries.record_error(late, DeliveryError("late", permanent=True))
    row.refresh_from_db()
    assert (row.state, row.permanent) == (State.SENDING, False)


def test_two_jobs_do_not_share_deliveries(
    new_job: Callable[[], SendJob], mail_server: MailServer
) -> None:
    for job in (new_job(), new_job()):
        assert job.run(to="ann@example.com")["delivered"] == 1
    first, second = mail_server.messages
    assert first["Message-ID"] != second["Message-ID"]


def test_a_round_that_runs_out_of_time_goes_on_without_spending_an_attempt(
    job: SendJob, mail_server: MailServer
) -> None:
    everyone = ["ann@example.com", "ben@example.com", "cat@example.com"]
    for served in (1, 2):
        with pytest.raises(Snooze, match=f"{3 - served} of 3"):
            job.run(to=everyone, seconds_left=5)
        assert len(mail_server.messages) == served
    assert job.run(to=everyone) == {"delivered": 1, "failed": 0, "skipped": 2}


def test_an_unknown_template_fails_for_good_and_names_the_known(job: SendJob) -> None:
    with pytest.raises(PermanentError, match=r"'nope' is unknown; use one of: .*digest.*welcome"):
        job.run(template="nope", to="ann@example.com")
    assert states(job) == {}


def test_a_missing_subject_is_the_template_s_own(job: SendJob, mail_server: MailServer) -> None:
    data = {"name": "Ann", "verificationUrl": "https://example.org/verify?t=1"}
    job.run(template="welcome", to="ann@example.com", data=data)
    (message,) = mail_server.messages
    assert message["Subject"] == "Welcome, Ann"
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        assert "https://example.org/verify?t=1" in body.get_content()


def test_a_given_subject_wins(job: SendJob, mail_server: MailServer) -> None:
    job.run(to="ann@example.com", subject="Mine\r\nBcc: x@example.com")
    assert mail_server.messages[0]["Subject"] == "Mine Bcc: x@example.com"
    assert mail_server.messages[0]["Bcc"] is None


def test_a_thousand_recipients_are_within_the_limits(
    job: SendJob, http_server: HttpServer, settings: Settings
) -> None:
    settings.WEBHOOK_SECRET = ""
    everyone = [http_server.url(f"/{number}") for number in range(1000)]
    with pytest.raises(PermanentError, match=r"1000 of 1000.*WEBHOOK_SECRET"):
        job.run(channel="webhook", to=everyone)
    assert http_server.requests == []


def test_deliveries_outlive_their_job(job: SendJob, mail_server: MailServer) -> None:
    job.run(to="ann@example.com")
    job.job.delete()
    assert Delivery.objects.get().job_id is None


def test_nothing_secret_is_told(
    job: SendJob, http_server: HttpServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="notifications")
    caplog.set_level("INFO")
    http_server.answers["/gone"] = Answer(410, body=b"CANARY-ANSWER")
    url = http_server.url("/gone?token=CANARY-QUERY").replace("//", "//me:CANARY-PASSWORD@")
    with pytest.raises(PermanentError) as failed:
        job.run(
            channel="webhook",
            to=url,
            data={"body": "CANARY-BODY"},
            headers={"Authorization": "Bearer CANARY-HEADER"},
        )

    row = job.job.deliveries.get()
    told = [caplog.text, *(str(record.msg) for record in caplog.records), str(failed.value)]
    told += [str(job.log.lines), row.last_error, str(row)]
    assert "CANARY" not in "".join(told)
    ((level, line, fields),) = job.log.lines
    assert "410" in line
    assert level == 30
    assert fields["permanent"] is True
    events = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    (event,) = [event for event in events if event["event"] == "notification_failed"]
    assert event["template"] == "message"
    assert event["to"].startswith("http://127.0.0.1:")
    assert event["to"].endswith("/gone?…")


def test_an_unknown_type_to_submit_when_gone_changes_nothing_else(
    job: SendJob, http_server: HttpServer
) -> None:
    http_server.answers["/gone"] = Answer(410)
    job.log.refused = UnknownJobType("job type 'no.such' is unknown")
    with pytest.raises(PermanentError, match="410"):
        job.run(channel="webhook", to=http_server.url("/gone"), when_gone="no.such")
    assert states(job) == {http_server.url("/gone"): State.FAILED}
    (_, first, _), *_ = job.log.lines
    assert first == ("no.such was not submitted: job type 'no.such' is unknown")


def test_a_full_queue_has_the_refusal_met_again_by_the_next_run(
    job: SendJob, http_server: HttpServer
) -> None:
    http_server.answers["/gone"] = Answer(410)
    job.log.refused = QueueFull("normal", capacity=1, retry_after=timedelta(seconds=1))
    address = http_server.url("/gone")
    with pytest.raises(QueueFull):
        job.run(channel="webhook", to=address, when_gone="sample.echo")
    assert states(job) == {address: State.SENDING}
    job.log.refused = None
    with pytest.raises(PermanentError, match="410"):
        job.run(channel="webhook", to=address, when_gone="sample.echo")
    assert [name for name, _ in job.log.submitted] == ["sample.echo"]


def test_who_is_gone_is_told_once_to_the_type_that_asked(
    job: SendJob, http_server: HttpServer
) -> None:
    http_server.answers |= {"/gone": Answer(410), "/wrong": Answer(400), "/ok": Answer()}
    everyone = [http_server.url(path) for path in ("/gone", "/wrong", "/ok")]
    with pytest.raises(PermanentError):
        job.run(channel="webhook", to=everyone, when_gone="sample.echo")
    ((job_type, params),) = job.log.submitted
    assert job_type == "sample.echo"
    assert params["channel"] == "webhook"
    assert params["recipient"] == everyone[0]
    assert "410" in params["reason"]


def test_a_delivered_row_needs_a_time(job: SendJob) -> None:
    with pytest.raises(IntegrityError):
        Delivery.objects.create(job=job.job, channel="email", recipient="a@b.c", state="delivered")


def test_the_timestamp_is_that_of_the_first_attempt(job: SendJob, http_server: HttpServer) -> None:
    before = timezone.now()
    http_server.answers["/ok"] = Answer()
    job.run(channel="webhook", to=http_server.url())
    stamp = http_server.requests[0].json["timestamp"]
    assert before.isoformat() <= stamp <= timezone.now().isoformat()
