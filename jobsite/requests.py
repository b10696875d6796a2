"""What is known of each request: its id, and where it came from."""

from collections.abc import Callable
from uuid import uuid4

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from jobs.domain.current import CurrentRequest, serving

_LONGEST_ADDRESS = 45


class RequestMiddleware:
    """Gives each request an id that its log lines and the jobs it submits carry.

    The audit log keeps it too, with the address that the request came from.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, with its id in the header X-Request-ID."""
        trace_id = uuid4().hex
        known = CurrentRequest(address=address_of(request), request_id=trace_id)
        with structlog.contextvars.bound_contextvars(trace_id=trace_id), serving(known):
            response = self._get_response(request)
        response["X-Request-ID"] = trace_id
        return response


def address_of(request: HttpRequest) -> str:
    """Return the address that the request came from.

    Behind `PROXIES` proxies it is what the outermost of them has written into X-Forwarded-For: what
    stands before that, anyone may have written.
    """
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    hops = [*filter(None, map(str.strip, forwarded)), request.META.get("REMOTE_ADDR", "")]
    address: str = hops[max(0, len(hops) - 1 - settings.PROXIES)]
    return address[:_LONGEST_ADDRESS]
