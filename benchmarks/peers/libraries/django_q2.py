"""django-q2 with its Redis broker."""

import django
from django.core.management import call_command

django.setup()

from django_q.brokers import get_broker  # noqa: E402 - Django is set up first
from django_q.models import Failure  # noqa: E402
from django_q.tasks import async_task  # noqa: E402

from benchmarks.peers.record import record  # noqa: E402

DISTRIBUTION = "django-q2"
broker = get_broker()


def prepare() -> None:
    """Make its tables."""
    call_command("migrate", verbosity=0)


def submit(sent: float) -> None:
    """Submit one job."""
    async_task(record, sent, broker=broker)


def left() -> int:
    """Return how many wait or have failed; one that a worker took is in no queue."""
    return int(broker.queue_size() + Failure.objects.count())
