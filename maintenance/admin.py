"""Health reports in the admin: read, never written."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from maintenance.models import HealthReport

_SHOWN = 20
_ICONS = {"healthy": "yes", "unhealthy": "no", "skipped": "unknown"}


@admin.register(HealthReport)
class HealthReportAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What each report found."""

    list_display = ("at", "healthy", "unhealthy", "slowest_type", "slower", "took")
    list_filter = ("healthy", "at")
    date_hierarchy = "at"
    ordering = ("-at",)
    list_per_page = 60
    fields = ("at", "healthy", "took", "checks_table", "slowest_table", "regressions_table")
    readonly_fields = fields

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """Only jobs make reports."""
        return False

    def has_change_permission(
        self, _request: HttpRequest, _obj: HealthReport | None = None
    ) -> bool:
        """A report says what was; it is not edited."""
        return False

    def has_delete_permission(
        self, _request: HttpRequest, _obj: HealthReport | None = None
    ) -> bool:
        """Only the clean-up removes reports."""
        return False

    @admin.display(description="unhealthy checks")
    def unhealthy(self, report: HealthReport) -> str:
        """Return the names of the checks that were not healthy."""
        return ", ".join(report.unhealthy_checks) or "none"

    @admin.display(description="slowest job type")
    def slowest_type(self, report: HealthReport) -> str:
        """Return the slowest type with its average."""
        if not report.slowest:
            return "no job has completed"
        first = report.slowest[0]
        return f"{first['job_type']}: {_seconds(first['average_run_seconds'])}"

    @admin.display(description="slower than before")
    def slower(self, report: HealthReport) -> str:
        """Return the types that have become slower."""
        return ", ".join(each["job_type"] for each in report.regressions) or "none"

    @admin.display(description="took", ordering="seconds")
    def took(self, report: HealthReport) -> str:
        """Return how long the checks took."""
        return _seconds(report.seconds)

    @admin.display(description="checks")
    def checks_table(self, report: HealthReport) -> SafeString | str:
        """Return a row for each check."""
        rows = [
            (
                _with_icon(each["status"]),
                each["name"],
                "required" if each["required"] else "optional",
                each["message"],
                _seconds(each["seconds"]),
            )
            for each in report.checks
        ]
        return _table(("Status", "Check", "", "Message", "Took"), rows)

    @admin.display(description="slowest job types")
    def slowest_table(self, report: HealthReport) -> SafeString | str:
        """Return a row for each of the slowest types."""
        rows = [
            (each["job_type"], _seconds(each["average_run_seconds"]))
            for each in report.slowest[:_SHOWN]
        ]
        return _table(("Job type", "Average run"), rows)

    @admin.display(description="slower than before")
    def regressions_table(self, report: HealthReport) -> SafeString | str:
        """Return a row for each type that has become slower."""
        rows = [
            (
                each["job_type"],
                _seconds(each["before_seconds"]),
                _seconds(each["average_run_seconds"]),
                f"{each['ratio']:g} times",
                f"{parse_datetime(each['since']):%Y-%m-%d %H:%M} UTC",
            )
            for each in report.regressions
        ]
        return _table(("Job type", "Before", "Now", "Slower", "Since"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> SafeString | str:
    if not rows:
        return "none"
    return format_html(
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        format_html_join("", '<th scope="col">{}</th>', ((each,) for each in head)),
        format_html_join("", "<tr>{}</tr>", ((_cells(row),) for row in rows)),
    )


def _with_icon(status: str) -> SafeString:
    icon = static(f"admin/img/icon-{_ICONS.get(status, 'unknown')}.svg")
    return format_html('<img src="{}" alt=""> {}', icon, status)


def _cells(row: Sequence[Any]) -> SafeString:
    return format_html_join("", "<td>{}</td>", ((each,) for each in row))


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds * 1000:.0f} ms"
