"""A process's slot: what it is at, and a disk that has no room for it."""

import errno
import os
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

import pytest

from jobs.models import Job
from jobs.runtime.slot import Order, Slot


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_parent_reads_what_its_child_writes_and_the_other_way_round(tmp_path: Path) -> None:
    child, parent = Slot(tmp_path / "1"), Slot(tmp_path / "1")
    assert (child.ordered(), parent.read()) == (None, None)
    job = Job(pk=uuid4(), run=3, timeout=timedelta(seconds=20))
    child.begin(job)
    seen = parent.read()
    assert seen is not None
    assert (seen.job_id, seen.run, seen.timeout_seconds) == (job.pk, 3, 20)
    parent.order(Order.CANCELLED, seen)
    assert child.ordered() == (Order.CANCELLED, job.pk, 3)
    child.end()
    assert parent.read() is None


def test_without_room_there_is_an_error_and_no_file(tmp_path: Path) -> None:
    """A file with a hole, mapped, would kill the process that writes to it."""
    with patch("os.posix_fallocate", full), pytest.raises(OSError, match="No space left"):
        Slot(tmp_path / "1")
    assert not list(tmp_path.iterdir())
