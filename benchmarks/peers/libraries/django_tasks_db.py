"""The database back end of Django's tasks."""

import django
from django.core.management import call_command

django.setup()

from django_tasks import TaskResultStatus  # noqa: E402 - Django is set up first
from django_tasks_db.models import DBTaskResult  # noqa: E402

from benchmarks.peers.libraries.django_tasks_job import job  # noqa: E402

DISTRIBUTION = "django-tasks-db"


def prepare() -> None:
    """Make its tables."""
    call_command("migrate", verbosity=0)


def submit(sent: float) -> None:
    """Submit one job."""
    job.enqueue(sent)


def left() -> int:
    """Return how many have not succeeded."""
    return int(DBTaskResult.objects.exclude(status=TaskResultStatus.SUCCESSFUL).count())
