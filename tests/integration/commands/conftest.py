from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from jobs.backends.memory import drain
from jobs.public import submit
from tests.integration.commands.running import Ran, Run


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `jobs` with arguments."""

    def call(*arguments: object) -> Ran:
        out, code, error = StringIO(), 0, ""
        capsys.readouterr()
        try:
            call_command("jobs", *map(str, arguments), stdout=out)
        except CommandError as raised:
            code, error = raised.returncode, str(raised)
        except SystemExit as raised:
            code = int(raised.code or 0)
        printed = capsys.readouterr()
        return Ran(code, out.getvalue() + printed.out, printed.err + error)

    return call


@pytest.fixture(autouse=True)
def memory(settings: Settings, db: None) -> None:
    settings.JOBS = {**settings.JOBS, "BACKEND": "memory"}


@pytest.fixture
def immediate(settings: Settings) -> None:
    settings.JOBS = {**settings.JOBS, "BACKEND": "immediate"}


@pytest.fixture
def dead(run: Run) -> str:
    """A job that failed for good."""
    job_id = submit("sample.trouble", {"kind": "permanent"}).job_id
    drain()
    return str(job_id)
