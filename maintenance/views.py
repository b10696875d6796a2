"""What a load balancer or an orchestrator asks: alive, and ready?"""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from maintenance.checking import run_checks
from maintenance.outcomes import all_healthy
from maintenance.registry import readiness_checks


@never_cache
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Return 200: the process answers. It looks at nothing else, which a restart would not help."""
    return HttpResponse("ok", content_type="text/plain")


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """Return 200 if the process can do its work, 503 if not, within 3 s."""
    results = run_checks(readiness_checks())
    healthy = all_healthy(results)
    checks = [
        {
            "name": result.name,
            "healthy": result.healthy,
            "message": result.message,
            "required": result.required,
        }
        for result in results
    ]
    return JsonResponse({"healthy": healthy, "checks": checks}, status=200 if healthy else 503)
