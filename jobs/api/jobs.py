"""Jobs over HTTP: submitting, listing, looking at and steering them."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from ninja import Header, Router, Status
from ninja import Query as InQuery

from jobs.api.authentication import ApiRequest, needs
from jobs.api.filters import JobQuery
from jobs.api.paging import page
from jobs.api.rates import count_submissions
from jobs.api.submissions import JobIn
from jobs.domain import wire
from jobs.domain.access import Scope
from jobs.domain.registry import registry
from jobs.models import Job
from jobs.public import cancel, describe, get, retry, submit
from jobs.selectors.describe import (
    describe_log,
    describe_timeline,
    describe_type,
    describe_whole,
)
from jobs.services.audit import record

router = Router(tags=["jobs"], by_alias=True)
_KEY = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]


@router.post(
    "",
    auth=needs(Scope.SUBMIT),
    response={202: wire.Accepted, 200: wire.Accepted},
    operation_id="submitJob",
    summary="Submit a job",
)
def submit_job(
    request: ApiRequest, response: HttpResponse, job: JobIn, idempotency_key: _KEY = None
) -> Status[dict[str, Any]]:
    """Accept a job: once this is answered, it cannot be lost.

    200 says that the idempotency key was known, and names the earlier job.
    """
    count_submissions(request)
    new = job.as_new_job(request.auth, key=idempotency_key)
    with transaction.atomic():
        accepted = submit(new.job_type, new.params, **new.options)
        if not accepted.duplicate:
            record(
                actor=request.auth.name, action="job.submit", target_type="job",
                target_id=accepted.job_id, tenant=new.options["tenant"] or "",
            )  # fmt: skip
    response["Location"] = f"{request.path}/{accepted.job_id}"
    status = HTTPStatus.OK if accepted.duplicate else HTTPStatus.ACCEPTED
    return Status(status, accepted.as_json())


@router.get(
    "",
    auth=needs(Scope.READ),
    response=wire.JobPage,
    operation_id="listJobs",
    summary="List jobs",
)
def list_jobs(request: ApiRequest, query: InQuery[JobQuery]) -> dict[str, Any]:
    """Return the jobs that match all that is asked, newest first unless `sort` says otherwise."""
    jobs, following = page(
        query.jobs(request.auth),
        query.order(),
        limit=query.limit,
        cursor=query.cursor,
        scanned=query.matching_params(),
    )
    return {"items": [describe(job) for job in jobs], "next": following}


@router.get(
    "/types",
    auth=needs(Scope.READ),
    response=list[wire.JobType],
    operation_id="listJobTypes",
    summary="List the job types",
)
def list_types(request: ApiRequest) -> list[dict[str, Any]]:
    """Return every job type, with the JSON Schema of its parameters."""
    return [describe_type(each) for each in registry]


@router.get(
    "/{uuid:job_id}",
    auth=needs(Scope.READ),
    response=wire.WholeJob,
    operation_id="getJob",
    summary="Look at a job",
)
def get_job(request: ApiRequest, job_id: UUID) -> dict[str, Any]:
    """Return a job with its attempts, its timeline and its log."""
    return describe_whole(_visible(request, job_id))


@router.get(
    "/{uuid:job_id}/events",
    auth=needs(Scope.READ),
    response=list[wire.Moment],
    operation_id="getTimeline",
    summary="See what happened to a job",
)
def get_timeline(request: ApiRequest, job_id: UUID) -> list[dict[str, Any]]:
    """Return each change of the job's state, with who made it, the oldest first."""
    return describe_timeline(_visible(request, job_id))


@router.get(
    "/{uuid:job_id}/logs",
    auth=needs(Scope.READ),
    response=list[wire.LogLine],
    operation_id="getLogs",
    summary="Read a job's log",
)
def get_logs(request: ApiRequest, job_id: UUID) -> list[dict[str, Any]]:
    """Return the lines that the job's handler wrote, the oldest first."""
    return describe_log(_visible(request, job_id))


@router.post(
    "/{uuid:job_id}/cancel",
    auth=needs(Scope.STEER),
    response=wire.Job,
    operation_id="cancelJob",
    summary="Cancel a job",
)
def cancel_job(request: ApiRequest, job_id: UUID) -> dict[str, Any]:
    """Cancel a job: at once while it waits, in a few seconds while it runs.

    The job is returned as it is now: one that runs has `cancel_requested`.
    """
    job = _visible(request, job_id)
    return describe(cancel(job.pk, actor=request.auth.name))


@router.post(
    "/{uuid:job_id}/retry",
    auth=needs(Scope.STEER),
    response=wire.Job,
    operation_id="retryJob",
    summary="Retry a job",
)
def retry_job(request: ApiRequest, job_id: UUID) -> dict[str, Any]:
    """Queue a failed or cancelled job again, with all its attempts before it."""
    job = _visible(request, job_id)
    return describe(retry(job.pk, actor=request.auth.name))


def _visible(request: ApiRequest, job_id: UUID) -> Job:
    return get(job_id, tenant=request.auth.tenant)
