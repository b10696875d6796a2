"""The columns of the list of schedules."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.admin.cron_text import in_english
from jobs.admin.display import badge, first_line, moment, to_the_minute
from jobs.domain.cron import zone
from jobs.domain.errors import UnknownTimeZone
from jobs.models import Schedule


class ScheduleColumns:
    """Each method is a column; none of them asks the database."""

    @admin.display(description="name", ordering="name")
    def name_and_type(self, schedule: Schedule) -> SafeString | str:
        """Return the name, and below it the job type unless that is the name."""
        if schedule.name == schedule.job_type:
            return schedule.name
        return format_html('{}<div class="job-exact">{}</div>', schedule.name, schedule.job_type)

    @admin.display(description="when", ordering="cron")
    def when(self, schedule: Schedule) -> SafeString:
        """Return what the cron expression says, the expression itself and its zone."""
        return format_html(
            '{}<div class="job-exact"><code>{}</code> {}</div>',
            in_english(schedule.cron),
            schedule.cron,
            schedule.timezone,
        )

    @admin.display(description="state", ordering="enabled")
    def enabled_badge(self, schedule: Schedule) -> SafeString:
        """Return whether it runs."""
        return badge("enabled" if schedule.enabled else "disabled")

    @admin.display(description="next run", ordering="next_run_at")
    def next_run(self, schedule: Schedule) -> SafeString | str:
        """Return the next run, in the schedule's own zone."""
        if schedule.next_run_at is None:
            return "—"
        try:
            place = zone(schedule.timezone)
        except UnknownTimeZone:
            return moment(schedule.next_run_at)
        return format_html(
            '{}<div class="job-exact">{}</div>',
            moment(schedule.next_run_at, place),
            to_the_minute(schedule.next_run_at, place),
        )

    @admin.display(description="last run", ordering="last_run_at")
    def last_run(self, schedule: Schedule) -> SafeString | str:
        """Return the last occurrence that made a job, and why the one after it made none."""
        if not schedule.last_error:
            return moment(schedule.last_run_at)
        return format_html(
            '{}<div class="job-error-line" title="{}"><span aria-hidden="true">⚠</span> {}</div>',
            moment(schedule.last_run_at),
            schedule.last_error,
            first_line(schedule.last_error),
        )
