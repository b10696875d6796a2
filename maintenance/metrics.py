"""What Prometheus scrapes: every series, for who has the token."""

from http import HTTPStatus

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from jobs.public import exposition


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return every series in Prometheus' text format to who sends METRICS_TOKEN as a bearer token.

    Returns:
        401 without the token, or with another one.

    Raises:
        Http404: METRICS_TOKEN is not set, or metrics are turned off.
    """
    if not settings.METRICS_TOKEN:
        raise Http404
    if not _has_the_token(request):
        unauthorised = {"WWW-Authenticate": 'Bearer realm="metrics"'}
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers=unauthorised)
    series = exposition()
    if not series:
        raise Http404
    return HttpResponse(series, content_type=CONTENT_TYPE_LATEST)


def _has_the_token(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    # In constant time: how long a refusal takes tells nothing about the token.
    return scheme.lower() == "bearer" and constant_time_compare(given, settings.METRICS_TOKEN)
