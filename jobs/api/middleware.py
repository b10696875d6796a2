"""Has every error below the API's address be a problem, also what never reaches an operation."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse

from jobs.api.problems import Problem, answer

_TOLD = {
    HTTPStatus.NOT_FOUND: "there is nothing at this address; /api/docs lists the operations",
    HTTPStatus.METHOD_NOT_ALLOWED: "this address does not know that method; see the header Allow",
    HTTPStatus.INTERNAL_SERVER_ERROR: "something is broken here; the site's log knows more by "
    "the request's id",
}


class ProblemsMiddleware:
    """Rewrites pages of errors, which programs cannot read, as problem details."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        response = self._get_response(request)
        if response.status_code < 400 or not _is_of_the_api(request):
            return response
        if response["Content-Type"].startswith("application/"):
            return response
        status = HTTPStatus(response.status_code)
        told = _TOLD.get(status, status.description or status.phrase)
        kept = {name: response[name] for name in ("Allow", "Retry-After") if name in response}
        return answer(Problem(status, status.name.lower(), told, headers=kept))


def _is_of_the_api(request: HttpRequest) -> bool:
    try:
        return request.path_info.startswith(reverse("api:api-root"))
    except NoReverseMatch:  # a site without the API
        return False
