"""The contract that every channel keeps, against a real server for each."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from django.utils import timezone

from notifications.channels.base import Channel, DeliveryError, Message, Notification
from notifications.channels.registry import channel_names, find_channel
from tests.integration.notifications.conftest import message_to
from tests.servers.http import Answer


@dataclass
class World:
    """A channel with its server."""

    channel: type[Channel]
    good: str
    busy: str
    refused: str
    #: Returns the ids by which the receiver could tell a repeat.
    ids_seen: Callable[[], list[str]] = field(repr=False)


@pytest.fixture(params=["email", "slack", "webhook"])
def world(request: pytest.FixtureRequest) -> World:
    channel = find_channel(request.param)
    if request.param == "email":
        mail = request.getfixturevalue("mail_server")
        return World(
            channel,
            "ann@example.com",
            "busy@example.com",
            "nobody@example.com",
            lambda: [str(message["Message-ID"]) for message in mail.messages],
        )
    if request.param == "slack":
        slack = request.getfixturevalue("slack_server")
        return World(
            channel,
            "#general",
            "#hiccup",
            "#absent",
            lambda: [r.json["metadata"]["event_payload"]["delivery_id"] for r in slack.requests],
        )
    http = request.getfixturevalue("http_server")
    http.answers = {"/ok": Answer(), "/busy": Answer(503), "/gone": Answer(410)}
    return World(
        channel,
        http.url("/ok"),
        http.url("/busy"),
        http.url("/gone"),
        lambda: [request.headers["webhook-id"] for request in http.requests],
    )


def message(world: World, recipient: str) -> Message:
    return message_to(recipient, html="<p>Hi</p>", payload=None)


def test_every_channel_is_in_this_suite() -> None:
    assert channel_names() == ["email", "slack", "webhook"]


def test_what_is_taken_has_an_answer(world: World) -> None:
    with world.channel() as channel:
        assert channel.send(message(world, world.good)).answer
    assert len(world.ids_seen()) == 1


def test_a_passing_refusal_is_transient(world: World) -> None:
    with world.channel() as channel, pytest.raises(DeliveryError) as refused:
        channel.send(message(world, world.busy))
    assert not refused.value.permanent
    assert str(refused.value)


def test_a_final_refusal_is_permanent(world: World) -> None:
    with world.channel() as channel, pytest.raises(DeliveryError) as refused:
        channel.send(message(world, world.refused))
    assert refused.value.permanent
    assert not refused.value.affects_all
    assert str(refused.value)


def test_a_channel_goes_on_after_a_refusal(world: World) -> None:
    with world.channel() as channel:
        for recipient in (world.refused, world.busy):
            with pytest.raises(DeliveryError):
                channel.send(message(world, recipient))
        assert channel.send(message(world, world.good)).answer


def test_a_repeat_carries_the_same_id(world: World) -> None:
    repeated = message(world, world.good)
    for _ in range(2):
        with world.channel() as channel:
            channel.send(repeated)
    first, second = world.ids_seen()
    assert first == second
    assert str(repeated.id) in first


def test_addresses_of_the_suite_pass_its_own_check(world: World) -> None:
    for recipient in (world.good, world.busy, world.refused):
        assert world.channel.check_recipient(recipient) == recipient
    with pytest.raises(ValueError, match="what is this"):
        world.channel.check_recipient("what is this?")


def test_every_template_can_be_composed_and_sent(world: World) -> None:
    with world.channel() as channel:
        for template in ("digest", "job_failed", "message", "welcome"):
            content = channel.compose(
                Notification(template=template, data={"body": "b"}, timestamp=timezone.now())
            )
            sent = message_to(world.good)
            channel.send(Message(id=sent.id, recipient=sent.recipient, content=content))
    assert len(world.ids_seen()) == 4


def test_closing_twice_does_no_harm(world: World) -> None:
    channel = world.channel()
    channel.send(message(world, world.good))
    channel.close()
    channel.close()
