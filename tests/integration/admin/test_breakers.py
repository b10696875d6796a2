"""The page of circuit breakers."""

from django.test import Client

from jobs.models import AuditEntry, Breaker
from jobs.services import breakers


def test_they_are_seen_and_reset(browser: Client) -> None:
    for _ in range(5):
        breakers.note_failure("github", "ConnectionError: <down>")
    page = browser.get("/admin/jobs/breaker/").content.decode()
    assert "open: left alone" in page
    assert "&lt;down&gt;" in page
    chosen = {"action": "reset_selected", "_selected_action": ["github"]}
    told = browser.post("/admin/jobs/breaker/", chosen, follow=True).content.decode()
    assert "Jobs try again: github." in told
    assert Breaker.objects.get().state == "closed"
    assert AuditEntry.objects.filter(action="breaker.reset").count() == 1
    told = browser.post("/admin/jobs/breaker/", chosen, follow=True).content.decode()
    assert "None of them was left alone." in told
