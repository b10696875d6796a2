"""Webhooks reach public addresses alone: a corpus, and a receiver that waits in vain."""

import socket
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pytest_django import Settings

from notifications.channels.base import Content, DeliveryError, Message
from notifications.channels.webhook import WebhookChannel
from notifications.guard import Forbidden, PublicTransport, check_address
from notifications.posting import tls
from tests.servers.http import Answer, HttpServer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLw=="
NOT_PUBLIC = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255",  # noqa: S104
    "192.168.1.1",
    "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "192.0.0.192",
    "198.18.0.1", "192.0.2.1", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1",
    "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::",
    "2001:0:0:0:0:0:80ff:fffe",
]  # fmt: skip
PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_it_is_no_address_for_a_webhook(address: str) -> None:
    with pytest.raises(Forbidden, match="is not a public address"):
        check_address(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_it_is_one(address: str) -> None:
    check_address(address)


def test_a_network_of_ones_own_can_be_allowed() -> None:
    check_address("10.1.2.3", [ip_network("10.1.0.0/16")])
    with pytest.raises(Forbidden):
        check_address("10.2.0.1", [ip_network("10.1.0.0/16")])


@pytest.fixture
def receiver(settings: Settings) -> Iterator[HttpServer]:
    """Someone on this machine, whom no webhook may reach."""
    settings.WEBHOOK_PRIVATE_NETWORKS, settings.WEBHOOK_PORTS = [], []
    settings.WEBHOOK_SECRET = SECRET
    with HttpServer() as server:
        yield server


def port_of(server: HttpServer) -> int:
    return int(server.url().rsplit(":", 1)[1].split("/")[0])


def sent_to(url: str) -> DeliveryError:
    message = Message(
        id=uuid4(), recipient=url, content=Content(subject="", payload={}), headers={}
    )
    with WebhookChannel() as channel, pytest.raises(DeliveryError) as refused:
        channel.send(message)
    return refused.value


def names(port: int) -> list[str]:
    return [
        f"http://{host}:{port}/"
        for host in (
            "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0",
            "0.0.0.0", "[::1]",  # noqa: S104
            "[::ffff:127.0.0.1]", "[::]", "127.0.0.1.", "LOCALHOST",
            "user:pw@127.0.0.1", "127.0.0.1#@public.example", "[0:0:0:0:0:ffff:7f00:1]",
        )
    ]  # fmt: skip


def test_nothing_arrives_whatever_it_is_called(receiver: HttpServer) -> None:
    for url in names(port_of(receiver)):
        sent_to(url)
    assert receiver.requests == []


def answers(monkeypatch: pytest.MonkeyPatch, *rounds: list[str]) -> list[str]:
    """Have each look for a name find the addresses of the next round; return who asked."""
    asked: list[str] = []

    async def found(_loop: Any, host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        addresses = rounds[min(len(asked), len(rounds)) - 1]
        kind = socket.SOCK_STREAM
        return [(socket.AF_INET, kind, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", found)
    return asked


def test_a_name_with_a_public_and_a_private_address(
    receiver: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, ["93.184.215.14", "127.0.0.1"])
    error = sent_to(f"http://two.example:{port_of(receiver)}/")
    assert error.permanent
    assert "may not be reached: 127.0.0.1 is not a public address" in str(error)
    assert receiver.requests == []


def test_a_name_that_changes_between_the_look_and_the_connection(
    receiver: HttpServer, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    asked = answers(monkeypatch, ["192.0.2.77"], ["127.0.0.1"])
    settings.WEBHOOK_PRIVATE_NETWORKS = [ip_network("192.0.2.0/24")]
    connected: list[str] = []

    async def connect(_self: Any, host: str, port: int, *_: Any, **__: Any) -> Any:
        connected.append(host)
        raise httpx.ConnectError("nobody there")

    monkeypatch.setattr("httpcore.AnyIOBackend.connect_tcp", connect)
    sent_to(f"http://rebinding.example:{port_of(receiver)}/")
    # It is asked for once, and what was looked at is what is connected to.
    assert (asked, connected) == (["rebinding.example"], ["192.0.2.77"])
    assert receiver.requests == []


def test_a_redirect_is_not_followed(receiver: HttpServer, settings: Settings) -> None:
    settings.WEBHOOK_PRIVATE_NETWORKS = [ip_network("127.0.0.0/8")]
    with HttpServer() as inner:
        receiver.answers["/"] = Answer(302, {"Location": inner.url("/")})
        assert "redirects are not followed" in str(sent_to(receiver.url("/")))
        assert inner.requests == []
    assert len(receiver.requests) == 1


def test_a_port_that_is_not_for_webhooks(receiver: HttpServer, settings: Settings) -> None:
    settings.WEBHOOK_PRIVATE_NETWORKS = [ip_network("127.0.0.0/8")]
    settings.WEBHOOK_PORTS = [443]
    error = sent_to(receiver.url("/"))
    assert error.permanent
    assert f"port {port_of(receiver)} is not one of WEBHOOK_PORTS" in str(error)
    assert receiver.requests == []


def test_tls_is_for_the_name_and_not_for_the_address() -> None:
    transport = PublicTransport(verify=tls())
    assert transport._pool._ssl_context is tls()
