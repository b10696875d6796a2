"""A server that is slow: whatever is sent to it arrives at the real one some time later."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def slowed(port: int, *, seconds: float) -> Iterator[int]:
    """Listen on a port of this machine and pass everything on to another one.

    Args:
        port: of the real server, on loopback.
        seconds: how long each request is held back; answers are not.

    Yields:
        The port to connect to.
    """
    opened = [socket.create_server(("127.0.0.1", 0))]
    accepting = threading.Thread(target=_accept, args=(opened, port, seconds), daemon=True)
    accepting.start()
    try:
        yield opened[0].getsockname()[1]
    finally:
        with suppress(OSError):
            opened[0].shutdown(socket.SHUT_RDWR)  # has `accept` return
        accepting.join(5)
        for each in opened:
            each.close()


def _accept(opened: list[socket.socket], port: int, seconds: float) -> None:
    with suppress(OSError):
        while True:
            client, _ = opened[0].accept()
            opened.append(client)
            real = socket.create_connection(("127.0.0.1", port))
            opened.append(real)
            for source, sink, hold in ((client, real, seconds), (real, client, 0)):
                threading.Thread(target=_pass_on, args=(source, sink, hold), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket, seconds: float) -> None:
    with suppress(OSError):
        while said := source.recv(65536):
            time.sleep(seconds)
            sink.sendall(said)
