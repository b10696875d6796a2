"""Deaths at a chosen point of a worker: the process group goes, as if the machine had lost power.

A file named like the point, in the folder that JOBSITE_TEST_FAULTS names, kills the first worker
that comes to that point; the file goes with it.
"""

import os
import signal
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

POINTS = ("before_take", "after_take", "mid_run", "after_effect", "before_record")
FOLDER = "JOBSITE_TEST_FAULTS"


def at(point: str) -> None:
    """Die here, if that was asked for."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return
    try:
        (Path(folder) / point).unlink()
    except FileNotFoundError:
        return
    os.killpg(os.getpgrp(), signal.SIGKILL)


def install() -> None:
    """Have the engine come to the points, in a process that was asked for them."""
    if os.environ.get(FOLDER) and "PYTEST_VERSION" not in os.environ:
        from jobs.runtime import executor, recording

        taking: Any = executor
        taking.take_within_limits = _around(taking.take_within_limits)
        writing: Any = recording
        writing.finish = _before(writing.finish)
        writing.finish_completed = _before(writing.finish_completed)


def _around(take: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(take)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        at("before_take")
        taken = take(*args, **kwargs)
        if taken:
            at("after_take")
        return taken

    return wrapped


def _before(finish: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(finish)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        at("before_record")
        return finish(*args, **kwargs)

    return wrapped
