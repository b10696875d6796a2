"""Keeps a process from forking while one of its other threads is at the database.

SQLite notes the locks that a process holds in the memory of the process. A child that is forked
while a thread of its parent holds one believes it held for ever, and every write of its own fails:
https://www.sqlite.org/howtocorrupt.html, "Carrying an open database connection across a fork()".
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: A fork waits no longer than this: a database that is away must not hold up a worker's pool.
_PATIENCE_SECONDS: Final = 5.0
_changed = threading.Condition(threading.Lock())
_inside = 0


@contextmanager
def unforked() -> Iterator[None]:
    """Have this process forked before the block or after it, and not meanwhile.

    For threads beside the one that forks. Several may be inside at once.
    """
    global _inside
    with _changed:
        _inside += 1
    try:
        yield
    finally:
        with _changed:
            _inside -= 1
            _changed.notify_all()


def _before_a_fork() -> None:
    _changed.acquire()
    _changed.wait_for(lambda: not _inside, _PATIENCE_SECONDS)


def _in_the_child() -> None:
    global _inside
    _inside = 0  # of the threads that were, none is here
    _changed.release()


os.register_at_fork(
    before=_before_a_fork, after_in_parent=_changed.release, after_in_child=_in_the_child
)
