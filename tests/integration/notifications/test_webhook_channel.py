import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from jobsite.supervision.site import free_port
from notifications.channels.base import DeliveryError, Message
from notifications.channels.webhook import WebhookChannel
from tests.integration.notifications.conftest import WEBHOOK_SECRET, message_to
from tests.servers.http import Answer, HttpServer

PAYLOAD = {"type": "message", "data": {"title": "Grüße", "n": 1}}


def to(url: str) -> Message:
    return message_to(url, payload=PAYLOAD)


def refusal_of(url: str) -> DeliveryError:
    with WebhookChannel() as channel, pytest.raises(DeliveryError) as refused:
        channel.send(to(url))
    return refused.value


def test_the_official_library_verifies_what_arrives(http_server: HttpServer) -> None:
    http_server.answers["/ok"] = Answer(204, body=b"")
    message = to(http_server.url("/ok?channel=7"))
    with WebhookChannel() as channel:
        assert channel.send(message).answer == "204"
        channel.send(message)

    first, second = http_server.requests
    assert Webhook(WEBHOOK_SECRET).verify(first.body, first.headers) == PAYLOAD
    assert first.path == "/ok?channel=7"
    assert first.headers["content-type"] == "application/json"
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == str(message.id)
    assert first.body == second.body
    with pytest.raises(WebhookVerificationError):
        Webhook(WEBHOOK_SECRET).verify(first.body + b" ", first.headers)


def test_extra_headers_are_sent_and_never_replace_ours(http_server: HttpServer) -> None:
    http_server.answers["/ok"] = Answer()
    message = Message(
        id=to("").id,
        recipient=http_server.url(),
        content=to("").content,
        headers={"Authorization": "Bearer abc", "Content-Type": "text/plain", "Webhook-Id": "7"},
    )
    with WebhookChannel() as channel:
        channel.send(message)
    (request,) = http_server.requests
    assert request.headers["authorization"] == "Bearer abc"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == str(message.id)


@pytest.mark.parametrize("status", [500, 502, 503, 408, 409, 425, 429])
def test_what_passes_by_itself_is_transient(http_server: HttpServer, status: int) -> None:
    http_server.answers["/x"] = Answer(status)
    refused = refusal_of(http_server.url("/x"))
    assert not refused.permanent
    assert refused.answer == str(status)
    assert not refused.affects_all


@pytest.mark.parametrize("status", [301, 304, 400, 401, 403, 404, 410, 422])
def test_what_stays_wrong_is_permanent(http_server: HttpServer, status: int) -> None:
    http_server.answers["/x"] = Answer(status)
    refused = refusal_of(http_server.url("/x"))
    assert refused.permanent
    assert str(status) in str(refused)


def test_retry_after_is_read_as_seconds_and_as_a_date(http_server: HttpServer) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
    http_server.answers["/seconds"] = Answer(429, {"Retry-After": "7"})
    http_server.answers["/date"] = Answer(503, {"Retry-After": date})

    assert refusal_of(http_server.url("/seconds")).retry_after == timedelta(seconds=7)
    wait = refusal_of(http_server.url("/date")).retry_after
    assert wait is not None
    assert timedelta(minutes=4) < wait <= timedelta(minutes=5)


def test_redirects_are_not_followed(http_server: HttpServer) -> None:
    http_server.answers["/here"] = Answer(307, {"Location": http_server.url("/there")})
    http_server.answers["/there"] = Answer()
    refused = refusal_of(http_server.url("/here"))
    assert refused.permanent
    assert [request.path for request in http_server.requests] == ["/here"]


def test_an_answer_that_drips_for_ever_is_cut_off(
    http_server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.posting.TIMEOUT_SECONDS", 0.3)
    http_server.answers["/drip"] = Answer(drips=True)
    started = time.monotonic()
    refused = refusal_of(http_server.url("/drip"))
    assert not refused.permanent
    assert time.monotonic() - started < 3


def test_a_receiver_that_is_down_is_transient(settings: Settings) -> None:
    settings.WEBHOOK_SECRET = WEBHOOK_SECRET
    refused = refusal_of(f"http://u:SECRET@127.0.0.1:{free_port()}/?token=SECRET")
    assert not refused.permanent
    assert "SECRET" not in str(refused)


def test_the_environment_s_proxy_is_not_used(
    http_server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    http_server.answers["/ok"] = Answer()
    with WebhookChannel() as channel:
        channel.send(to(http_server.url()))
    assert len(http_server.requests) == 1


@pytest.mark.parametrize("secret", ["", "not-a-secret", "whsec_???"])
def test_without_a_usable_secret_nothing_is_sent(
    http_server: HttpServer, settings: Settings, secret: str
) -> None:
    settings.WEBHOOK_SECRET = secret
    refused = refusal_of(http_server.url())
    assert refused.permanent
    assert refused.affects_all
    assert "set WEBHOOK_SECRET" in str(refused)
    assert not secret or secret not in str(refused)
    assert http_server.requests == []
