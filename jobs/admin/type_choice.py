"""Choosing a job type, which the address of a form then names."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from jobs.domain.registry import registry


def chosen_type(request: HttpRequest, otherwise: str = "") -> str:
    """Return the name of the job type that the address names; it need not be registered."""
    return request.GET.get("job_type", otherwise)


def wants_json(request: HttpRequest) -> bool:
    """Return whether the parameters are asked for as JSON."""
    return request.GET.get("as") == "json"


def told_of_type(request: HttpRequest, name: str) -> dict[str, Any]:
    """Return what a form's page tells of its job type."""
    registered = name in registry
    return {
        "type_name": name,
        "type_is_registered": registered,
        "type_description": registry.get(name).description if registered else "",
        "as_json": wants_json(request),
    }


def type_choice_page(
    admin: "ModelAdmin[Any]", request: HttpRequest, *, title: str, unknown: str = ""
) -> HttpResponse:
    """Show the registered types, each with a link to this address with its name."""
    context = {
        **admin.admin_site.each_context(request),
        "title": title,
        "opts": admin.opts,
        "types": [(each.name, each.description) for each in registry],
        "unknown": unknown,
    }
    return TemplateResponse(request, "admin/jobs/choose_type.html", context)
