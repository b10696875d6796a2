"""The tags and filters of the admin's templates: thin, the work is in `jobs.admin`."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.template.context import RequestContext
from django.urls import reverse

from jobs.admin import display, links, site
from jobs.models import Job

register = template.Library()

register.filter("badge", display.badge)
register.filter("moment", display.moment)
register.filter("full_moment", display.full_moment)
register.filter("due", display.due)
register.filter("duration", display.duration)
register.filter("pretty_json", display.pretty_json)
register.filter("shown_json", display.shown_json)
register.filter("first_line", display.first_line)
register.filter("in_words", display.in_words)
register.filter("short_id", links.short_id)


@register.filter
def job_page(job: Job) -> str:
    """Return the address of a job's page."""
    return reverse("admin:jobs_job_change", args=[job.pk])


@register.simple_tag
def in_order(app_list: Iterable[Any]) -> list[Any]:
    """Return the apps in the site's order."""
    return site.in_order(app_list)


@register.simple_tag(takes_context=True)
def overview(context: RequestContext) -> dict[str, Any]:
    """Return what the index shows of the engine."""
    return site.overview(context["request"])
