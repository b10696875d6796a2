"""An end that cleans up, whoever asks for it."""

import signal
from types import FrameType


def clean_up_when_terminated() -> None:
    """Have SIGTERM leave through every `finally`, as Ctrl-C does."""
    signal.signal(signal.SIGTERM, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    # A second one would cut the cleaning short.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(128 + number)
