"""Keeps webhooks from reaching what is not public: no address of ours is anyone's to name."""

import asyncio
import socket
from collections.abc import Collection, Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any, Final

import httpcore
import httpx
from django.conf import settings

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network
#: RFC 6052 and RFC 8215: an IPv4 address stands in the last four bytes.
_NAT64: Final = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))


#: Not global either, whatever older Pythons say: protocol assignments (a cloud's metadata stands
#: there), and the anycast address of 6to4 relays (RFC 6890, RFC 7526).
_RESERVED: Final = (ip_network("192.0.0.0/24"), ip_network("192.88.99.0/24"))


class Forbidden(httpx.TransportError):
    """The receiver is at an address, or behind a port, that webhooks are not sent to."""


def check_address(address: str, allowed: Collection[_Network] = ()) -> None:
    """Do nothing if the address is public, or in one of the allowed networks.

    Raises:
        Forbidden: it is private, loopback, link-local (cloud metadata is), shared, multicast,
            reserved, or an IPv6 form of such an IPv4 address.
    """
    told = ip_address(address.partition("%")[0])  # without the zone of a link-local one
    if any(told.version == network.version and told in network for network in allowed):
        return
    translated = isinstance(told, IPv6Address) and any(told in network for network in _NAT64)
    whole = () if translated else (told,)
    if not all(map(_is_public, (*whole, *_embedded(told)))):
        raise Forbidden(f"{told} is not a public address")


def _is_public(address: _Address) -> bool:
    reserved = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not reserved and not any(address in each for each in _RESERVED)


def _embedded(address: _Address) -> Iterable[IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address leads to."""
    if not isinstance(address, IPv6Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if any(address in network for network in _NAT64) or int(address) < 2**32:
        yield IPv4Address(int(address) & 0xFFFF_FFFF)


class _PublicOnly(httpcore.AnyIOBackend):
    """Connects to the address that was looked at, whatever the name says a moment later."""

    async def connect_tcp(  # type: ignore[override] # its types are httpcore's private ones
        self, host: str, port: int, timeout: float | None = None, **rest: Any
    ) -> httpcore.AsyncNetworkStream:
        """Resolve the name, look at every address, and connect to the first.

        Raises:
            Forbidden: one of them, or the port, is not for webhooks.
        """
        ports = settings.WEBHOOK_PORTS
        if ports and port not in ports:
            raise Forbidden(f"port {port} is not one of WEBHOOK_PORTS")
        addresses = await _resolved(host, port)
        # All of them: a name with a public and a private one is up to something.
        for address in addresses:
            check_address(address, settings.WEBHOOK_PRIVATE_NETWORKS)
        return await super().connect_tcp(addresses[0], port, timeout, **rest)

    async def connect_unix_socket(self, path: str, *_: Any, **__: Any) -> Any:
        """Refuse."""
        raise Forbidden(f"{path} is a socket of this machine")


async def _resolved(host: str, port: int) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} has no address: {error}") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class PublicTransport(httpx.AsyncHTTPTransport):
    """Sends to public addresses alone; see `check_address`. TLS is for the name, as ever."""

    def __init__(self, *, verify: Any) -> None:
        """Make it.

        Args:
            verify: the TLS context.
        """
        super().__init__(verify=verify, trust_env=False)
        # httpx has no argument for a network backend; httpcore, below it, has.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify, network_backend=_PublicOnly(), max_connections=1
        )
