"""The page of the queues: what waits, and pausing."""

from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from jobs.models import AuditEntry, Queue
from jobs.selectors.queues import paused_queues
from jobs.services.submission import submit

PAGE = reverse("admin:jobs_queue_changelist")


def act(browser: Client, action: str, *names: str) -> str:
    answer = browser.post(PAGE, {"action": action, "_selected_action": names}, follow=True)
    return answer.content.decode()


def test_every_queue_is_there_with_what_waits_in_it(browser: Client) -> None:
    submit("sample.echo", priority="low")
    submit("sample.echo", priority="low")
    page = browser.get(PAGE).content.decode()
    rows = [part.split("</tr>")[0] for part in page.split("<tr>")[1:]]
    names = [row for row in rows if "field-name_and_link" in row]
    assert ">critical</a>" in names[0]
    (low,) = [row for row in names if ">low</a>" in row]
    assert '<td class="field-ready">2</td>' in low
    assert "goes on" in low


def test_the_selected_ones_are_paused_and_resumed(browser: Client) -> None:
    browser.get(PAGE)
    assert "Paused low, normal." in act(browser, "pause_selected", "normal", "low")
    assert paused_queues() == {"low", "normal"}
    assert "They were so already" in act(browser, "pause_selected", "low")
    assert "Resumed low." in act(browser, "resume_selected", "low")
    assert paused_queues() == {"normal"}
    assert set(AuditEntry.objects.values_list("actor", flat=True)) == {"root"}


def test_looking_is_not_pausing(browser_of: Callable[..., Client]) -> None:
    viewer = browser_of("view_queue")
    assert "Pause selected" not in viewer.get(PAGE).content.decode()
    act(viewer, "pause_selected", "low")
    assert paused_queues() == set()
    pauser = browser_of_two(browser_of)
    act(pauser, "pause_selected", "low")
    assert paused_queues() == {"low"}
    assert Queue.objects.get(name="low").paused_by == "staff"


def browser_of_two(browser_of: Callable[..., Client]) -> Client:
    from django.contrib.auth.models import User

    User.objects.filter(username="staff").delete()
    return browser_of("view_queue", "pause_queue")
