"""A paused queue is not taken from."""

import pytest

from jobs.backends.memory import drain
from jobs.domain.events import Event
from jobs.models import AuditEntry
from jobs.public import UnknownQueue, get, pause_queue, resume_queue, submit
from jobs.selectors.queues import queues
from jobs.services.timekeeping import ring_again

pytestmark = pytest.mark.usefixtures("memory")


def test_nothing_is_taken_until_it_is_resumed() -> None:
    assert pause_queue("normal", actor="ada") == ["normal"]
    paused, urgent = submit("sample.echo").job_id, submit("sample.echo", priority="high").job_id
    drain()
    assert [get(paused).state, get(urgent).state] == ["queued", "completed"]
    assert pause_queue("normal", actor="ada") == []
    assert resume_queue("normal", actor="bob") == ["normal"]
    drain()
    assert get(paused).state == "completed"
    acts = AuditEntry.objects.filter(target_type="queue").values_list("actor", "action")
    assert list(acts) == [("ada", "queue.pause"), ("bob", "queue.resume")]


def test_a_types_own_queue_is_paused_with_all_its_priorities() -> None:
    names = ["sample.critical", "sample.high", "sample.low", "sample.normal"]
    assert pause_queue("sample", actor="ada") == names
    assert resume_queue("all", actor="ada") == names


def test_no_bell_rings_for_a_paused_queue() -> None:
    from datetime import UTC, datetime, timedelta

    submit("sample.echo")
    later = datetime.now(UTC) + timedelta(minutes=1)
    pause_queue("normal", actor="ada")
    assert ring_again(now=later) == set()


def test_an_unknown_queue_is_said_to_be_unknown() -> None:
    with pytest.raises(UnknownQueue, match=r"no queue 'nromal'; there are: critical, .*, and all"):
        pause_queue("nromal", actor="ada")


def test_the_queues_tell_what_waits_and_who_paused_them(events: list[Event]) -> None:
    first = submit("sample.echo").job_id
    submit("sample.echo")
    pause_queue("normal", actor="ada")
    view = {each.name: each for each in queues()}["normal"]
    assert (view.ready, view.running, view.paused_by) == (2, 0, "ada")
    assert view.oldest == get(first).run_at
    assert view.paused_at is not None
