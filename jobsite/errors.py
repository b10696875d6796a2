"""What the site answers when a request cannot be served."""

import sys

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from jobs.public import OUTAGES

_RETRY_AFTER_SECONDS = 5


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 while the database cannot be used, which passes, and 500 to a defect."""
    if not isinstance(sys.exc_info()[1], OUTAGES):
        return defaults.server_error(request)
    told = "The database cannot be used just now. Nothing was stored; try again in a moment.\n"
    answer = HttpResponse(told, status=503, content_type="text/plain; charset=utf-8")
    answer["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    return answer
