import logging
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from jobsite.supervision.site import free_port
from notifications.channels.base import DeliveryError, Notification
from notifications.channels.slack import SlackChannel
from tests.integration.notifications.conftest import message_to
from tests.servers.slack import SlackServer


def refusal_of(recipient: str) -> DeliveryError:
    with SlackChannel() as channel, pytest.raises(DeliveryError) as refused:
        channel.send(message_to(recipient))
    return refused.value


def test_a_message_is_posted_without_mentions_or_previews(slack_server: SlackServer) -> None:
    message = message_to("#general", text="Hello", payload=[{"type": "divider"}])
    with SlackChannel() as channel:
        assert channel.send(message).answer == "1700000000.000100"

    (request,) = slack_server.requests
    assert request.path == "/api/chat.postMessage"
    sent = request.json
    assert (sent["channel"], sent["text"]) == ("#general", "Hello")
    assert sent["blocks"] == [{"type": "divider"}]
    assert sent["parse"] == "none"
    assert not sent["link_names"]
    assert not sent["unfurl_links"]
    assert sent["metadata"]["event_payload"] == {"delivery_id": str(message.id)}


def test_data_can_neither_mention_anyone_nor_make_links(slack_server: SlackServer) -> None:
    hostile = '<!channel> <@U12345678> <https://evil.example|docs> @here & "it\'s"'
    with SlackChannel() as channel:
        content = channel.compose(
            Notification(
                template="message", data={"title": "T", "body": hostile}, timestamp=timezone.now()
            )
        )
    assert "&lt;!channel&gt; &lt;@U12345678&gt;" in content.text
    assert "&lt;https://evil.example|docs&gt;" in content.text
    assert "@here" not in content.text
    assert '&amp; "it\'s"' in content.text
    assert "<" not in content.text


def test_blocks_are_rendered_from_json(slack_server: SlackServer) -> None:
    data = {"job_id": "7", "job_type": "a.b", "error": '"} ], <!here>', "url": "https://e.org/7"}
    with SlackChannel() as channel:
        content = channel.compose(
            Notification(template="job_failed", data=data, timestamp=timezone.now())
        )
    assert content.payload[1]["text"]["text"] == '"} ], &lt;!here&gt;'
    assert content.payload[2]["elements"][0]["text"] == "Job <https://e.org/7|7>"


def test_a_rate_limit_is_transient_and_says_for_how_long(slack_server: SlackServer) -> None:
    refused = refusal_of("#limited")
    assert not refused.permanent
    assert refused.retry_after == timedelta(seconds=30)
    assert refused.affects_all
    assert len(slack_server.requests) == 1


@pytest.mark.parametrize("recipient", ["#broken", "#hiccup"])
def test_trouble_on_slack_s_side_is_transient(slack_server: SlackServer, recipient: str) -> None:
    refused = refusal_of(recipient)
    assert not refused.permanent
    assert not refused.affects_all


def test_an_unknown_channel_is_permanent_for_it_alone(slack_server: SlackServer) -> None:
    refused = refusal_of("#absent")
    assert refused.permanent
    assert not refused.affects_all
    assert refused.answer == "channel_not_found"


def test_a_wrong_token_is_permanent_for_everyone(
    slack_server: SlackServer, settings: Settings
) -> None:
    settings.SLACK_TOKEN = "xoxb-wrong-SECRET"
    refused = refusal_of("#general")
    assert refused.permanent
    assert refused.affects_all
    assert "invalid_auth" in str(refused)
    assert "SECRET" not in str(refused)


def test_no_token_is_permanent_and_says_what_to_do(
    slack_server: SlackServer, settings: Settings
) -> None:
    settings.SLACK_TOKEN = ""
    refused = refusal_of("#general")
    assert refused.permanent
    assert "set SLACK_TOKEN" in str(refused)
    assert slack_server.requests == []


def test_slack_out_of_reach_is_transient(settings: Settings) -> None:
    settings.SLACK_TOKEN, settings.SLACK_API_URL = "xoxb-SECRET", f"http://127.0.0.1:{free_port()}"
    refused = refusal_of("#general")
    assert not refused.permanent
    assert "SECRET" not in str(refused)


def test_the_sdk_logs_no_message_even_when_debugging(
    slack_server: SlackServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with SlackChannel() as channel:
        channel.send(message_to("#general", text="BODY-CANARY"))
    assert "BODY-CANARY" not in caplog.text
