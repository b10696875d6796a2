"""The columns of the list of jobs."""

from datetime import timedelta
from typing import Final

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.admin.display import badge, due, duration, first_line, moment
from jobs.admin.links import short_id
from jobs.domain.states import FINAL, TIMED, State
from jobs.models import Job

_WITH_ERROR: Final = frozenset({State.FAILED, State.RETRYING, State.CANCELLED})


class JobColumns:
    """Each method is a column; none of them asks the database."""

    @admin.display(description="id")
    def short_id(self, job: Job) -> str:
        """Return the end of the id."""
        return short_id(job.pk)

    @admin.display(description="state", ordering="state")
    def state_badge(self, job: Job) -> SafeString:
        """Return the state."""
        return badge(job.state)

    @admin.display(description="job type", ordering="job_type")
    def type_and_error(self, job: Job) -> SafeString:
        """Return the job type, and below it the first line of what went wrong."""
        error = first_line(job.error or job.error_type) if job.state in _WITH_ERROR else ""
        shown = format_html('<div class="job-error-line">{}</div>', error) if error else ""
        return format_html("{}{}", job.job_type, shown)

    @admin.display(description="priority", ordering="priority")
    def priority_and_queue(self, job: Job) -> SafeString:
        """Return the priority, and the queue unless it is the site's own of that name."""
        queue = job.queue if job.queue != job.priority_label else ""
        shown = format_html('<div class="job-exact">{}</div>', queue) if queue else ""
        return format_html("{}{}", job.priority_label, shown)

    @admin.display(description="attempt")
    def attempts(self, job: Job) -> str:
        """Return the attempts spent, and how many there may be."""
        return f"{job.attempt}/{job.max_attempts}"

    @admin.display(description="created", ordering="id")
    def created(self, job: Job) -> SafeString | str:
        """Return when it was submitted."""
        return moment(job.created_at)

    @admin.display(description="run time")
    def ran(self, job: Job) -> SafeString | str:
        """Return how long the last run took, how far it is, or when the next one is due."""
        if job.state == State.RUNNING and job.started_at is not None:
            elapsed = duration(max(timezone.now() - job.started_at, timedelta()))
            return f"{elapsed}, {job.progress} %" if job.progress else elapsed
        if job.state in TIMED:
            return due(job.run_at)
        return duration(job.run_time) if job.state in FINAL else "—"
