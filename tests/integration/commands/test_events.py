"""An event as a line for people."""

from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from jobs.domain.events import Event, EventName
from jobs.management.verbs.events import told

JOB_ID = uuid4()


def line(name: EventName, state: str = "", *, job: bool = True, **details: Any) -> str:
    """Return the line without its time."""
    event = Event(
        name=name,
        at=timezone.now(),
        job_id=JOB_ID if job else None,
        job_type="sample.echo" if job else "",
        state=state,
        details=details,
    )
    return told(event.as_json()).partition("[/] ")[2]


@pytest.mark.parametrize(
    ("name", "state"),
    [
        (EventName.QUEUED, "queued"),
        (EventName.STARTED, "running"),
        (EventName.COMPLETED, "completed"),
        (EventName.CANCELLED, "cancelled"),
    ],
)
def test_a_change_of_state_is_the_state(name: EventName, state: str) -> None:
    shown = line(name, state)
    assert shown.startswith(f"{str(JOB_ID)[-8:]} sample.echo [")
    assert shown.endswith(f" {state}[/]")


def test_what_is_no_change_of_state_has_its_name() -> None:
    lines = [
        line(EventName.CREATED, "queued"),
        line(EventName.QUEUED, "queued"),
        line(EventName.RETRYING, "queued", actor="ada"),
        line(EventName.SCHEDULE_EXECUTED, "queued", schedule="nightly"),
        line(EventName.PROGRESS_UPDATED, "running", progress=50, message="half"),
        line(EventName.STARTED, "running"),
    ]
    assert len(set(lines)) == len(lines)
    assert lines[0].endswith("queued[/] created")
    assert lines[2].endswith("queued[/] retrying by ada")
    assert lines[3].endswith("queued[/] schedule executed nightly")
    assert lines[4].endswith("running[/] progress updated 50 % half")


def test_an_event_of_no_job() -> None:
    shown = line(EventName.WORKER_ADDED, job=False, worker="celery@host", pid=7)
    assert shown == "worker added celery@host"


def test_why_a_job_failed() -> None:
    shown = line(EventName.FAILED, "failed", failure_reason="timeout", error_type="JobTimeout")
    assert shown.endswith("failed[/] timeout JobTimeout")
