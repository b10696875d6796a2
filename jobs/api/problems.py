"""What the API answers when it cannot do what it was asked: problem details (RFC 9457)."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic_core import to_json

from jobs.domain import errors, wire
from jobs.selectors.outages import OUTAGES

logger = structlog.get_logger(__name__)
MEDIA_TYPE: Final = "application/problem+json"
#: How long a client waits before it tries again when the site cannot say.
_SOON: Final = timedelta(seconds=2)


class Problem(Exception):
    """What the API answers instead of what it was asked for."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        wrong: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.wrong = tuple(wrong)
        self.headers = dict(headers or {})


#: Which answer each error of the engine's is; the first that fits.
_OF_ERRORS: Final[list[tuple[type[Exception], HTTPStatus, str]]] = [
    (errors.UnknownJobType, HTTPStatus.BAD_REQUEST, "unknown_job_type"),
    (errors.ParametersTooLarge, HTTPStatus.UNPROCESSABLE_ENTITY, "parameters_too_large"),
    (errors.InvalidParameters, HTTPStatus.BAD_REQUEST, "invalid_parameters"),
    (errors.InvalidOption, HTTPStatus.BAD_REQUEST, "invalid_option"),
    (errors.DuplicateJob, HTTPStatus.CONFLICT, "duplicate_job"),
    (errors.QueueFull, HTTPStatus.TOO_MANY_REQUESTS, "queue_full"),
    (errors.QuotaExceeded, HTTPStatus.TOO_MANY_REQUESTS, "quota_exceeded"),
    (errors.JobNotFound, HTTPStatus.NOT_FOUND, "job_not_found"),
    (errors.BatchNotFound, HTTPStatus.NOT_FOUND, "batch_not_found"),
    (errors.BatchClosed, HTTPStatus.CONFLICT, "batch_closed"),
    (errors.UnknownQueue, HTTPStatus.NOT_FOUND, "queue_not_found"),
    (errors.InvalidTransition, HTTPStatus.CONFLICT, "invalid_transition"),
    (errors.ScheduleNotFound, HTTPStatus.NOT_FOUND, "schedule_not_found"),
    (errors.InvalidCron, HTTPStatus.BAD_REQUEST, "invalid_cron"),
    (errors.UnknownTimeZone, HTTPStatus.BAD_REQUEST, "unknown_time_zone"),
    (errors.ScheduleError, HTTPStatus.CONFLICT, "schedule_conflict"),
    (errors.HookNotFound, HTTPStatus.NOT_FOUND, "hook_not_found"),
    (errors.KeyNotFound, HTTPStatus.NOT_FOUND, "key_not_found"),
    (errors.TenantNotFound, HTTPStatus.NOT_FOUND, "tenant_not_found"),
    (errors.InvalidAccess, HTTPStatus.BAD_REQUEST, "invalid_access"),
    (errors.ConfigurationError, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
    (RequestDataTooBig, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large"),
]


def problem_of(error: Exception) -> Problem:
    """Return the answer that an error of the engine's is; itself if it is one."""
    if isinstance(error, Problem):
        return error
    wrong: list[tuple[str, str]] = []
    headers = {}
    detail = str(error)
    if isinstance(error, errors.BadHook):
        bad = HTTPStatus.BAD_REQUEST if error.signed else HTTPStatus.UNAUTHORIZED
        return Problem(bad, "invalid_webhook" if error.signed else "bad_signature", detail)
    status, code = next(
        (status, code) for kind, status, code in _OF_ERRORS if isinstance(error, kind)
    )
    if isinstance(error, errors.InvalidParameters):
        wrong = [(f"params.{path}" if path else "params", why) for path, why in error.problems]
    elif isinstance(error, errors.QueueFull | errors.QuotaExceeded):
        headers["Retry-After"] = str(math.ceil(error.retry_after.total_seconds()))
    elif isinstance(error, RequestDataTooBig):
        detail = "the request's body is too large; store what is in it elsewhere, and name it here"
    elif isinstance(error, errors.ConfigurationError):
        headers["Retry-After"] = str(math.ceil(_SOON.total_seconds()))
    return Problem(status, code, detail, wrong=wrong, headers=headers)


def answer(problem: Problem) -> HttpResponse:
    """Return the problem as a response."""
    bound = structlog.contextvars.get_contextvars().get("trace_id", "")
    body = wire.ProblemDetails(
        type=f"urn:jobsite:problem:{problem.code}",
        title=problem.status.phrase,
        status=problem.status.value,
        detail=problem.detail,
        code=problem.code,
        errors=[wire.WrongField(path=path, message=why) for path, why in problem.wrong],
        request_id=str(bound),
    )
    response = HttpResponse(to_json(body), status=problem.status, content_type=MEDIA_TYPE)
    for name, value in problem.headers.items():
        response[name] = value
    return response


def handle_errors(api: NinjaAPI) -> None:
    """Have the API answer every error as a problem."""

    def known(_request: HttpRequest, error: Any) -> HttpResponse:
        return answer(problem_of(error))

    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        Problem: known,
        errors.JobsError: known,
        RequestDataTooBig: known,
        ValidationError: _invalid,
        AuthenticationError: lambda *_: answer(unauthenticated()),
        HttpError: _http_error,
        Http404: _not_found,
        **dict.fromkeys(OUTAGES, _outage),
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def _invalid(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    wrong = [(_path(each["loc"]), _said(each["msg"])) for each in error.errors]
    told = "; ".join(f"{path}: {why}" if path else why for path, why in wrong[:3])
    more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    return answer(Problem(HTTPStatus.BAD_REQUEST, "invalid_request", told + more, wrong=wrong))


def _path(place: Sequence[Any]) -> str:
    """Return a field's place without the names that only our own code knows."""
    source, *parts = place
    return ".".join(str(part) for part in (parts[1:] if source == "body" else parts))


def _said(message: str) -> str:
    return message.removeprefix("Value error, ")


def unauthenticated() -> Problem:
    """Return what is answered to whoever is not known."""
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "unauthenticated",
        "a valid API key is needed: send it as `Authorization: Bearer jsk_…`; an admin makes one "
        "with `manage.py jobs keys create`",
        headers={"WWW-Authenticate": 'Bearer realm="Jobsite"'},
    )


def _http_error(_request: HttpRequest, error: HttpError) -> HttpResponse:
    cause = error.__cause__
    if isinstance(cause, Problem):
        return answer(cause)
    status = HTTPStatus(error.status_code)
    return answer(Problem(status, status.name.lower(), str(error)))


def _not_found(_request: HttpRequest, _error: Http404) -> HttpResponse:
    return answer(Problem(HTTPStatus.NOT_FOUND, "not_found", "there is nothing here"))


def _outage(_request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("api_without_database", error_type=type(error).__name__)
    detail = "the database is away; nothing was done, or it is not known whether it was: try again"
    headers = {"Retry-After": str(math.ceil(_SOON.total_seconds()))}
    return answer(Problem(HTTPStatus.SERVICE_UNAVAILABLE, "database_away", detail, headers=headers))
