"""Submitting many jobs by one request: a wrong one is named by its place, the others accepted."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from django.db import transaction
from ninja import Router, Status
from pydantic import Field, SkipValidation, ValidationError

from jobs.api.authentication import ApiRequest, needs
from jobs.api.parsing import Body
from jobs.api.problems import Problem, problem_of
from jobs.api.rates import count_submissions
from jobs.api.submissions import JobIn
from jobs.domain import wire
from jobs.domain.access import Principal, Scope
from jobs.domain.errors import SubmissionError
from jobs.domain.submission import BulkSubmission, NewJob
from jobs.public import submit_many
from jobs.services.audit import record

router = Router(tags=["jobs"], by_alias=True)
MOST = 10_000


class Jobs(Body):
    """Jobs to be submitted together."""

    # Each is checked by itself, so that a wrong one does not keep the others from being accepted.
    jobs: Annotated[list[SkipValidation[JobIn]], Field(min_length=1, max_length=MOST)]


@router.post(
    "",
    auth=needs(Scope.SUBMIT),
    response={202: wire.BulkAccepted},
    operation_id="submitJobs",
    summary="Submit many jobs",
)
def submit_jobs(request: ApiRequest, body: Jobs) -> Status[dict[str, Any]]:
    """Accept many jobs by a few statements; those that were accepted cannot be lost.

    One that cannot be accepted is named in `errors` by its place. If none can be, the answer is the
    first one's problem.
    """
    count_submissions(request, len(body.jobs))
    good, problems = read_jobs(body.jobs, request.auth)
    with transaction.atomic():
        result = submit_many(good.values())
        _note(request.auth, [job_id for job_id in result.job_ids if job_id], _duplicates(result))
    answer = accepted(len(body.jobs), list(good), result, problems)
    if len(problems) == len(body.jobs):
        raise _none_accepted(problems)
    return Status(HTTPStatus.ACCEPTED, answer)


def accepted(
    count: int, places: Sequence[int], result: BulkSubmission, problems: dict[int, Problem]
) -> dict[str, Any]:
    """Return the answer to many jobs that were submitted.

    Args:
        count: how many there were.
        places: of those that could be read, and were submitted.
        result: what became of these.
        problems: what is wrong with the others, by place; what the engine refused is put in.
    """
    ids: list[UUID | None] = [None] * count
    duplicates = []
    for place, submission in zip(places, result.submissions, strict=True):
        if submission is not None:
            ids[place] = submission.job_id
            duplicates += [place] if submission.duplicate else []
    problems |= {places[at]: problem_of(error) for at, error in result.errors.items()}
    told = f"{count - len(problems)} of {count} accepted" if problems else "accepted"
    return {
        "message": told,
        "jobIds": ids,
        "duplicates": duplicates,
        "errors": [_refusal(place, problems[place]) for place in sorted(problems)],
    }


def _duplicates(result: BulkSubmission) -> int:
    return sum(each.duplicate for each in result.submissions if each is not None)


def read_jobs(
    jobs: Sequence[Any], principal: Principal
) -> tuple[dict[int, NewJob], dict[int, Problem]]:
    """Return those that can be read, and what is wrong with the others, by place."""
    good: dict[int, NewJob] = {}
    problems: dict[int, Problem] = {}
    for place, given in enumerate(jobs):
        try:
            good[place] = JobIn.model_validate(given).as_new_job(principal)
        except ValidationError as error:
            problems[place] = _unreadable(error)
        except SubmissionError as error:
            problems[place] = problem_of(error)
    return good, problems


def _note(principal: Principal, ids: Sequence[UUID], duplicates: int) -> None:
    if len(ids) > duplicates:
        record(
            actor=principal.name, action="job.submit", target_type="job", target_id="many",
            tenant=principal.tenant, count=len(ids) - duplicates, first=str(ids[0]),
            last=str(ids[-1]),
        )  # fmt: skip


def _unreadable(error: ValidationError) -> Problem:
    wrong = [
        (".".join(map(str, each["loc"])), each["msg"].removeprefix("Value error, "))
        for each in error.errors(include_url=False, include_input=False)
    ]
    detail = "; ".join(f"{path}: {why}" if path else why for path, why in wrong[:3])
    return Problem(HTTPStatus.BAD_REQUEST, "invalid_request", detail, wrong=wrong)


def _refusal(place: int, problem: Problem) -> dict[str, Any]:
    return {
        "index": place,
        "code": problem.code,
        "detail": problem.detail,
        "errors": [{"path": path, "message": why} for path, why in problem.wrong],
    }


def _none_accepted(problems: dict[int, Problem]) -> Problem:
    first = problems[min(problems)]
    wrong = [
        (f"jobs.{place}.{path}".removesuffix("."), why)
        for place in sorted(problems)[:100]
        for path, why in (problems[place].wrong or [("", problems[place].detail)])
    ]
    detail = f"none of them was accepted; the first: {first.detail}"
    return Problem(first.status, first.code, detail, wrong=wrong, headers=first.headers)
