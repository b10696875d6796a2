"""Whether the database answers and can be written."""

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from maintenance.models import HealthReport
from maintenance.outcomes import Unhealthy
from maintenance.registry import health_check


@health_check("database", required=True, readiness=True)
def check_database() -> str:
    """Read, then write a row that is rolled back: a full disk or a read-only replica shows."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError as error:
        raise Unhealthy(
            f"the database does not answer ({type(error).__name__}); is it running, and is "
            "DATABASE_URL right?"
        ) from None
    try:
        with transaction.atomic():
            HealthReport.objects.create(at=timezone.now(), healthy=True, seconds=0)
            transaction.set_rollback(True)
    except DatabaseError as error:
        raise Unhealthy(
            f"the database answers but cannot be written ({type(error).__name__}); is its disk "
            "full, is it read-only, and are its migrations applied?"
        ) from None
    return f"{connection.vendor} answers and can be written"
