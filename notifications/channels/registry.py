"""The channels by name, found by importing every module of this package."""

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import notifications.channels
from notifications.channels.base import Channel

ChannelT = TypeVar("ChannelT", bound=Channel)

_channels: dict[str, type[Channel]] = {}


def channel(name: str) -> Callable[[type[ChannelT]], type[ChannelT]]:
    """Declare the decorated class as the channel of that name.

    Raises:
        ValueError: another class has the name already.
    """

    def declare(declared: type[ChannelT]) -> type[ChannelT]:
        known = _channels.get(name)
        if known is not None and known.__qualname__ != declared.__qualname__:
            raise ValueError(
                f"channel {name!r} is declared twice, by {known.__qualname__} and by "
                f"{declared.__qualname__}; rename one"
            )
        declared.name = name
        _channels[name] = declared
        return declared

    return declare


@cache
def discover() -> None:
    """Import every module of the package, once."""
    for module in pkgutil.iter_modules(notifications.channels.__path__):
        importlib.import_module(f"{notifications.channels.__name__}.{module.name}")


def channel_names() -> list[str]:
    """Return the names of all channels, sorted."""
    discover()
    return sorted(_channels)


def find_channel(name: str) -> type[Channel]:
    """Return the channel of that name.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    discover()
    if name not in _channels:
        raise ValueError(f"channel {name!r} is unknown; use one of: {', '.join(channel_names())}")
    return _channels[name]
