"""What holds for every answer below the API's address, also for what never reaches an operation."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware
from django.urls import NoReverseMatch, reverse
from django.utils.cache import patch_cache_control

from jobs.api.problems import Problem, answer

_TOLD = {
    HTTPStatus.NOT_FOUND: "there is nothing at this address; /api/docs lists the operations",
    HTTPStatus.METHOD_NOT_ALLOWED: "this address does not know that method; see the header Allow",
    HTTPStatus.INTERNAL_SERVER_ERROR: "something is broken here; the site's log knows more by "
    "the request's id",
}


class ApiMiddleware:
    """Has every error be a problem, and every answer to a GET have an ETag.

    No cache between keeps an answer; who has one asks whether it still holds (`If-None-Match`), and
    is answered 304 if it does.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._conditional = ConditionalGetMiddleware(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        response = self._get_response(request)
        if not _is_of_the_api(request):
            return response
        if response.status_code >= 400:
            return _as_problem(response)
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_cache=True)
        return self._conditional.process_response(request, response)


def _as_problem(response: HttpResponse) -> HttpResponse:
    """Return a page about an error, which programs cannot read, as problem details."""
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
