from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection

from jobs.models import Job
from jobs.public import get
from tests.stack import eventually

Final = Callable[..., Job]


@pytest.fixture
def final() -> Final:
    """Wait until a job is final and return it."""

    def wait(job_id: UUID, timeout: float = 15) -> Job:
        eventually(lambda: get(job_id).is_final, timeout, what=f"job {job_id} to be final")
        return get(job_id)

    return wait


@pytest.fixture
def witness(tmp_path: Path) -> Callable[[], list[str]]:
    """The labels that runs left in the file `witness`, in their order."""

    def read() -> list[str]:
        path = tmp_path / "witness"
        return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []

    return read


@pytest.fixture
def path(tmp_path: Path) -> str:
    """The file that `witness` reads."""
    return str(tmp_path / "witness")


@pytest.fixture
def on_sqlite() -> bool:
    return connection.vendor == "sqlite"
