"""Health reports are read in the admin, never written."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from maintenance.models import HealthReport

LIST = "admin:maintenance_healthreport_changelist"
DETAIL = "admin:maintenance_healthreport_change"


@pytest.fixture
def report(db: None) -> HealthReport:
    check = {"required": True, "seconds": 0.0123}
    return HealthReport.objects.create(
        at=timezone.now(),
        healthy=False,
        seconds=1.5,
        checks=[
            {**check, "name": "disk", "status": "unhealthy", "message": "<b>1%</b> is free"},
            {**check, "name": "smtp", "status": "skipped", "message": "not configured"},
        ],
        slowest=[{"job_type": "sample.work", "average_run_seconds": 12.34}],
        regressions=[
            {
                "job_type": "sample.work",
                "average_run_seconds": 12.34,
                "before_seconds": 6.17,
                "ratio": 2.0,
                "since": "2026-03-01T11:59:00+00:00",
            }
        ],
    )


def test_the_list_says_the_most_important(admin_client: Client, report: HealthReport) -> None:
    page = admin_client.get(reverse(LIST)).content.decode()
    for told in ("✗</span> unhealthy", "disk", "sample.work: 12.3 s", "1.5 s"):
        assert told in page


def test_a_report_can_be_read_whole(admin_client: Client, report: HealthReport) -> None:
    page = admin_client.get(reverse(DETAIL, args=[report.pk])).content.decode()
    for told in (
        "<td>disk</td><td>required</td><td>&lt;b&gt;1%&lt;/b&gt; is free</td><td>12 ms</td>",
        "<td>sample.work</td><td>12.3 s</td>",
        "<td>6.2 s</td><td>12.3 s</td><td>2 times</td>",
        "Sun 01 Mar 2026, 11:59:00 UTC",
        "✗</span> unhealthy",
        "⊘</span> skipped",
    ):
        assert told in page
    assert "historylink" not in page


def test_an_empty_report_can_be_read(admin_client: Client, db: None) -> None:
    report = HealthReport.objects.create(at=timezone.now(), healthy=True, seconds=0)
    assert admin_client.get(reverse(DETAIL, args=[report.pk])).status_code == 200
    assert "no job has completed" in admin_client.get(reverse(LIST)).content.decode()


@pytest.mark.parametrize("action", ["add", "change", "delete"])
def test_no_one_writes_reports(admin_client: Client, report: HealthReport, action: str) -> None:
    args = [] if action == "add" else [report.pk]
    url = reverse(f"admin:maintenance_healthreport_{action}", args=args)
    assert admin_client.post(url, {"healthy": "on"}).status_code == 403
    report.refresh_from_db()
    assert not report.healthy
