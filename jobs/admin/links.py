"""Links to objects' own pages, where there is one and the user may see it."""

from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.models import Job


def short_id(job_id: object) -> str:
    """Return the end of an id: its beginning is the time, which jobs of one minute share."""
    return f"…{str(job_id)[-8:]}"


def may_view(request: HttpRequest, site: AdminSite, model: type[Model]) -> bool:
    """Return whether the model has pages that the user may see."""
    return site.is_registered(model) and site.get_model_admin(model).has_view_permission(request)


def page_of(site: AdminSite, target: Model) -> str:
    """Return the address of an object's page."""
    options = target._meta
    name = f"{site.name}:{options.app_label}_{options.model_name}_change"
    return reverse(name, args=[target.pk])


def link_to(request: HttpRequest, site: AdminSite, target: Model, text: str = "") -> SafeString:
    """Return a link to the object's page, or only its text if the user may not see it."""
    shown = text or str(target)
    if not may_view(request, site, type(target)):
        return format_html("{}", shown)
    return format_html('<a href="{}">{}</a>', page_of(site, target), shown)


def link_to_job(site: AdminSite, job_id: object) -> SafeString:
    """Return a link to a job of that id."""
    address = reverse(f"{site.name}:jobs_job_change", args=[job_id])
    return format_html('<a href="{}" title="{}">{}</a>', address, job_id, short_id(job_id))


def jobs_list(site: AdminSite, query: str = "") -> str:
    """Return the address of the list of jobs, narrowed by a query string."""
    options = Job._meta
    address = reverse(f"{site.name}:{options.app_label}_{options.model_name}_changelist")
    return f"{address}?{query}" if query else address
