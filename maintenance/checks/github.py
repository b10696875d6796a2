"""Whether GitHub answers, and takes the token."""

import httpx
from django.conf import settings

from maintenance.conf import maintenance_settings
from maintenance.outcomes import Skipped, Unhealthy
from maintenance.registry import health_check


@health_check("github")
def check_github() -> str:
    """Ask for the rate limit, which costs nothing of it."""
    if not settings.GITHUB_TOKEN:
        raise Skipped("not configured: GITHUB_TOKEN is empty")
    try:
        answer = httpx.get(
            f"{settings.GITHUB_API_URL.rstrip('/')}/rate_limit",
            headers={"Authorization": f"Bearer {settings.GITHUB_TOKEN}"},
            timeout=maintenance_settings().check_timeout_seconds,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unhealthy(f"GitHub cannot be reached ({type(error).__name__})") from None
    if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise Unhealthy(f"GitHub answered {answer.status_code}; check GITHUB_TOKEN")
    # An enterprise server whose rate limiting is off answers 404.
    if answer.status_code not in {httpx.codes.OK, httpx.codes.NOT_FOUND}:
        raise Unhealthy(f"GitHub answered {answer.status_code}")
    return "GitHub answers"
