"""The site's health over HTTP, for whoever watches it."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from ninja import Router, Schema, Status
from pydantic import Field

from jobs.public_api import ApiRequest, Scope, needs
from maintenance.checking import run_checks
from maintenance.outcomes import Status as CheckStatus
from maintenance.outcomes import all_healthy
from maintenance.registry import health_checks

router = Router(tags=["health"], by_alias=True)
routers = {"/health": router}
#: The answer comes within a second; a check that takes longer counts as unhealthy here.
_WITHIN: Final = timedelta(seconds=0.9)


class CheckOut(Schema):
    """How one check ended."""

    name: str
    required: bool = Field(description="The whole is unhealthy if this is.")
    status: CheckStatus
    message: str
    seconds: float


class Health(Schema):
    """How the site is."""

    healthy: bool
    checks: list[CheckOut]


@router.get(
    "",
    auth=needs(Scope.READ),
    response={200: Health, 503: Health},
    operation_id="getHealth",
    summary="Ask how the site is",
)
def get_health(request: ApiRequest) -> Status[dict[str, Any]]:
    """Run every health check, side by side; 503 says that a required one is unhealthy.

    `/livez` and `/readyz`, at the root of the site, are for load balancers and orchestrators.
    """
    results = run_checks(health_checks(), within=_WITHIN)
    healthy = all_healthy(results)
    told = {"healthy": healthy, "checks": [result.as_json() for result in results]}
    return Status(HTTPStatus.OK if healthy else HTTPStatus.SERVICE_UNAVAILABLE, told)
