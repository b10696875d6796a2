"""Health reports in the admin: read, never written."""

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from jobs.public import State
from jobs.public_admin import PeriodFilter, ReadOnlyAdmin, badge, duration, full_moment, moment
from maintenance.models import HealthReport

_SHOWN: Final = 20
#: What a check can be, in the look of a job's state.
_LOOKS: Final = {
    "healthy": State.COMPLETED,
    "unhealthy": State.FAILED,
    "skipped": State.CANCELLED,
}


class ReportPeriodFilter(PeriodFilter):
    """The time since a report."""

    column = "at"


@admin.register(HealthReport)
class HealthReportAdmin(ReadOnlyAdmin):
    """What each report found."""

    list_display = ("when", "health", "unhealthy", "slowest_type", "slower", "took")
    list_filter = ("healthy", ReportPeriodFilter)
    ordering = ("-at",)
    sortable_by = ("when", "health", "took")
    fields = (
        "when_exactly", "health", "took", "checks_table", "slowest_table", "regressions_table",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="when", ordering="at")
    def when(self, report: HealthReport) -> SafeString | str:
        """Return when the checks ran."""
        return moment(report.at)

    @admin.display(description="when")
    def when_exactly(self, report: HealthReport) -> SafeString | str:
        """Return when the checks ran, to the second."""
        return full_moment(report.at)

    @admin.display(description="health", ordering="healthy")
    def health(self, report: HealthReport) -> SafeString:
        """Return whether every required check was healthy."""
        return _badge("healthy" if report.healthy else "unhealthy")

    @admin.display(description="unhealthy")
    def unhealthy(self, report: HealthReport) -> str:
        """Return the names of the checks that were not healthy."""
        return ", ".join(report.unhealthy_checks) or "none"

    @admin.display(description="slowest type")
    def slowest_type(self, report: HealthReport) -> str:
        """Return the slowest type with its average."""
        if not report.slowest:
            return "no job has completed"
        first = report.slowest[0]
        return f"{first['job_type']}: {duration(first['average_run_seconds'])}"

    @admin.display(description="grown slower")
    def slower(self, report: HealthReport) -> str:
        """Return the types that have become slower."""
        return ", ".join(each["job_type"] for each in report.regressions) or "none"

    @admin.display(description="took", ordering="seconds")
    def took(self, report: HealthReport) -> str:
        """Return how long the checks took."""
        return duration(report.seconds)

    @admin.display(description="checks")
    def checks_table(self, report: HealthReport) -> SafeString | str:
        """Return a row for each check."""
        rows = [
            (
                _badge(each["status"]),
                each["name"],
                "required" if each["required"] else "optional",
                each["message"],
                duration(each["seconds"]),
            )
            for each in report.checks
        ]
        return _table(("Status", "Check", "", "Message", "Took"), rows)

    @admin.display(description="slowest job types")
    def slowest_table(self, report: HealthReport) -> SafeString | str:
        """Return a row for each of the slowest types."""
        rows = [
            (each["job_type"], duration(each["average_run_seconds"]))
            for each in report.slowest[:_SHOWN]
        ]
        return _table(("Job type", "Average run"), rows)

    @admin.display(description="slower than before")
    def regressions_table(self, report: HealthReport) -> SafeString | str:
        """Return a row for each type that has become slower."""
        rows = [
            (
                each["job_type"],
                duration(each["before_seconds"]),
                duration(each["average_run_seconds"]),
                f"{each['ratio']:g} times",
                full_moment(parse_datetime(each["since"])),
            )
            for each in report.regressions
        ]
        return _table(("Job type", "Before", "Now", "Slower", "Since"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> SafeString | str:
    if not rows:
        return "none"
    return format_html(
        '<div class="job-scroll"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>',
        format_html_join("", '<th scope="col">{}</th>', ((each,) for each in head)),
        format_html_join("", "<tr>{}</tr>", ((_cells(row),) for row in rows)),
    )


def _badge(status: str) -> SafeString:
    return badge(_LOOKS.get(status, status), status)


def _cells(row: Sequence[Any]) -> SafeString:
    return format_html_join("", "<td>{}</td>", ((each,) for each in row))
