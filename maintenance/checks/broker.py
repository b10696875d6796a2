"""Whether the broker answers."""

from datetime import timedelta

from jobs import public
from maintenance.outcomes import Unhealthy
from maintenance.registry import health_check


# The ping itself gives up after 2 s, and then says why.
@health_check("broker", required=True, readiness=True, timeout=timedelta(seconds=2.5))
def check_broker() -> str:
    """Connect to it."""
    try:
        public.ping_broker()
    except ConnectionError as error:
        raise Unhealthy(str(error)) from None
    return "the broker answers"
