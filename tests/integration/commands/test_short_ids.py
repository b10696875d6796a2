"""Jobs are named by a part of their ids, where there is no doubt which is meant."""

from uuid import UUID

import pytest
from django.utils import timezone

from jobs.models import Job
from jobs.public import submit
from tests.integration.commands.running import DONE, NOT_FOUND, USAGE, Run

FIRST, SECOND = (UUID(f"01a20274-b209-73ce-{each}-82aa034e3934") for each in ("ba2d", "ba3d"))


@pytest.fixture
def twins() -> None:
    """Two jobs whose ids begin and end alike."""
    for pk in (FIRST, SECOND):
        job_id = submit("sample.echo").job_id
        Job.objects.filter(pk=job_id).update(id=pk)


@pytest.mark.parametrize(
    "part", ["ba2d-82aa034e3934", "01a20274-b209-73ce-ba2d", "BA2D-82AA034E3934"]
)
def test_the_beginning_or_the_end_names_a_job(run: Run, twins: None, part: str) -> None:
    assert run("show", part, "--json").json["id"] == str(FIRST)


@pytest.mark.parametrize("written", ["{}", "…{}", " {}"])
def test_eight_characters_are_enough(run: Run, written: str) -> None:
    job_id = str(submit("sample.echo").job_id)
    part = written.format(job_id[-8:])
    assert run("cancel", part, "--json").json[0]["jobId"] == job_id
    assert run("retry", part).out == f"{job_id}  ○ queued\n"
    assert run("watch", part, "--wait", "0", "--json").json["id"] == job_id
    Job.objects.filter(pk=job_id).update(state="completed", finished_at=timezone.now())
    assert run("watch", part).code == DONE


@pytest.mark.parametrize("part", ["01a20274", "82aa034e3934", "a034e3934"])
def test_a_part_of_two_ids_is_refused_with_both(run: Run, twins: None, part: str) -> None:
    ran = run("show", part)
    assert ran.code == USAGE
    assert all(told in ran.error for told in (repr(part), str(FIRST), str(SECOND)))
    assert run("cancel", part, "--json").json[0]["code"] == "usage"
    assert not Job.objects.exclude(state="queued").exists()


@pytest.mark.parametrize("part", ["4e3934", "b209-73ce-ba2d", "82aa034e39__", "00000000", ""])
def test_less_or_something_else_names_none(run: Run, twins: None, part: str) -> None:
    assert run("show", part).code == NOT_FOUND
