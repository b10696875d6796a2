"""Whether Slack answers, and takes the token."""

import httpx
from django.conf import settings

from maintenance.conf import maintenance_settings
from maintenance.outcomes import Skipped, Unhealthy
from maintenance.registry import health_check


@health_check("slack")
def check_slack() -> str:
    """Ask whose token it is."""
    if not settings.SLACK_TOKEN:
        raise Skipped("not configured: SLACK_TOKEN is empty")
    try:
        answer = httpx.post(
            f"{settings.SLACK_API_URL.rstrip('/')}/auth.test",
            headers={"Authorization": f"Bearer {settings.SLACK_TOKEN}"},
            timeout=maintenance_settings().check_timeout_seconds,
        )
        told = answer.json() if answer.status_code == httpx.codes.OK else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise Unhealthy(f"Slack cannot be reached ({type(error).__name__})") from None
    if not isinstance(told, dict):
        raise Unhealthy(f"Slack answered {answer.status_code}")
    if told.get("ok") is not True:
        raise Unhealthy(f"Slack answered {str(told.get('error'))[:60]!r}; check SLACK_TOKEN")
    return "Slack answers"
