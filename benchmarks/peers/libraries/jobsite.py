"""Jobsite through PostgreSQL and Redis."""

import django
from django.core.management import call_command

django.setup()

from jobs import public  # noqa: E402 - Django is set up first
from jobs.models import Job  # noqa: E402

DISTRIBUTION = "jobsite"


def prepare() -> None:
    """Make its tables."""
    call_command("migrate", verbosity=0)


def submit(sent: float) -> None:
    """Submit one job."""
    public.submit("bench.record", {"sent": sent})


def submit_many(times: list[float]) -> None:
    """Submit them by a few statements."""
    result = public.submit_many(public.NewJob("bench.record", {"sent": sent}) for sent in times)
    if result.errors:
        raise RuntimeError(f"{len(result.errors)} jobs were refused")


def left() -> int:
    """Return how many have not completed."""
    return Job.objects.exclude(state="completed").count()
