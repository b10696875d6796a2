"""What the page of one job shows."""

from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from jobs.admin.links import jobs_list, link_to, may_view
from jobs.domain.states import FINAL, RETRYABLE, State
from jobs.models import Batch, Job, LogLine
from jobs.selectors import history
from jobs.selectors.dependencies import DependencyView, followers, waits_for

_LINES: Final = 200
_RELATED: Final = 20


@dataclass(frozen=True, slots=True)
class Related:
    """Rows that belong to a job, as links to their pages."""

    title: str
    links: list[str]
    #: Where the rest is listed, if there is more; empty if that is nowhere.
    more: str = ""
    is_cut: bool = False


def may(request: HttpRequest, act: str) -> bool:
    """Return whether the user may do this to jobs: `submit`, `retry`, `cancel` or `delete`."""
    return request.user.has_perm(f"jobs.{act}_job")


def context(job: Job, request: HttpRequest, site: AdminSite) -> dict[str, Any]:
    """Return what the template of the page needs."""
    lines, is_cut = _log_lines(job)
    return {
        "job": job,
        "can_retry": job.state in RETRYABLE and may(request, "retry"),
        "can_cancel": (
            job.state not in FINAL and job.cancel_requested_at is None and may(request, "cancel")
        ),
        "can_delete": job.is_final and may(request, "delete"),
        "cancel_pending": job.state == State.RUNNING and job.cancel_requested_at is not None,
        "show_error": bool(job.error) and job.state != State.COMPLETED,
        "attempts": history.attempts(job),
        "timeline": history.timeline(job),
        "lines": lines,
        "lines_cut": is_cut,
        "origin": _origin(job, request, site),
        "waits_for": _linked(waits_for(job), request, site),
        "followers": _linked(followers(job), request, site),
        "related": [*_children(job, request, site), *_of_other_apps(job, request, site)],
    }


def _linked(
    views: list[DependencyView], request: HttpRequest, site: AdminSite
) -> list[tuple[DependencyView, str]]:
    """Return each with the link to its page, or its id once it was removed."""
    jobs = Job.objects.in_bulk([view.job_id for view in views])
    return [
        (
            view,
            link_to(request, site, jobs[view.job_id]) if view.job_id in jobs else str(view.job_id),
        )
        for view in views
    ]


def _log_lines(job: Job) -> tuple[list[LogLine], bool]:
    newest = list(job.log_lines.order_by("-id")[: _LINES + 1])
    return newest[:_LINES][::-1], len(newest) > _LINES


def _origin(job: Job, request: HttpRequest, site: AdminSite) -> dict[str, Any]:
    return {
        "schedule": link_to(request, site, job.schedule) if job.schedule else "",
        "parent": link_to(request, site, job.parent) if job.parent else "",
        "batch": _link_to_batch(job, request, site),
        "worker": link_to(request, site, job.worker) if _has_worker(job) and job.worker else "",
    }


def _link_to_batch(job: Job, request: HttpRequest, site: AdminSite) -> str:
    """Return a link to the job's batch, whose row may be gone: the column has no constraint."""
    batch = Batch.objects.filter(pk=job.batch_id).first() if job.batch_id else None
    return link_to(request, site, batch) if batch else ""


def _has_worker(job: Job) -> bool:
    """Return whether the worker's row is still kept: the column has no constraint."""
    return job.worker_id is not None and "worker" in job._state.fields_cache


def _children(job: Job, request: HttpRequest, site: AdminSite) -> list[Related]:
    children = list(job.children.order_by("-id")[: _RELATED + 1])
    if not children:
        return []
    links = [link_to(request, site, child) for child in children[:_RELATED]]
    more = jobs_list(site, f"parent={job.pk}")
    return [Related("Jobs that it led to", [*links], more, len(children) > _RELATED)]


def _of_other_apps(job: Job, request: HttpRequest, site: AdminSite) -> list[Related]:
    """Return the rows of other apps that refer to the job, such as digests and deliveries."""
    found = []
    for relation in Job._meta.related_objects:
        model = relation.related_model
        if isinstance(model, str) or model._meta.app_label == Job._meta.app_label:
            continue
        if not may_view(request, site, model):
            continue
        rows = model._base_manager.filter(**{relation.field.name: job.pk}).order_by("pk")
        shown = list(rows[: _RELATED + 1])
        if shown:
            title = str(model._meta.verbose_name_plural).capitalize()
            links = [link_to(request, site, row) for row in shown[:_RELATED]]
            found.append(Related(title, [*links], is_cut=len(shown) > _RELATED))
    return found
