"""What handlers and other people wrote is printed as it is, without any effect."""

from uuid import UUID

import pytest
from django.utils import timezone

from jobs.backends.memory import drain
from jobs.models import Job
from jobs.public import get, submit
from tests.integration.commands.running import Run

HOSTILE = "[red]no[/red] [/] [link=http://x]y[/link] :x: \x1b[2J\x9b1m\r\n\u202ebad\\"
#: The same, as it may be printed.
HARMLESS = "[red]no[/red] [/] [link=http://x]y[/link] :x:  [2J 1m   bad\\"


"""What handlers and other people wrote is printed as it is, without any effect."""


@pytest.fixture
def job_id() -> UUID:
    job_id = submit("sample.echo", {"value": HOSTILE}).job_id
    drain()
    Job.objects.filter(pk=job_id).update(state="failed", error=HOSTILE, progress_message=HOSTILE)
    get(job_id).log_lines.create(level=20, message=HOSTILE, run=1, at=timezone.now())
    return job_id


@pytest.mark.parametrize("verb", ["show", "watch", "list"])
def test_it_is_printed_plainly(run: Run, job_id: UUID, verb: str) -> None:
    told = run(verb, *([] if verb == "list" else [job_id])).out
    assert HARMLESS[:40] in told
    assert not {each for each in told if not each.isprintable()} - {"\n"}


def test_all_of_it(run: Run, job_id: UUID) -> None:
    told = run("show", job_id)
    assert told.out.count(HARMLESS) >= 2
    assert told.error == ""


def test_in_an_error(run: Run) -> None:
    ran = run("show", HOSTILE)
    assert HARMLESS in ran.error
    assert HARMLESS in run("cancel", HOSTILE).error
    assert "\x1b" not in ran.error


def test_programs_get_it_as_it_is(run: Run, job_id: UUID) -> None:
    assert run("show", job_id, "--json").json["error"] == HOSTILE
