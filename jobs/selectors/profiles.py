"""The workers' profiles, as workers read them."""

from jobs.models import WorkerProfile


def profile_of(name: str) -> WorkerProfile | None:
    """Return the profile of that name; None if there is none."""
    return WorkerProfile.objects.filter(name=name).first()


def job_types_of(name: str) -> frozenset[str] | None:
    """Return the job types that workers of this profile may take; None: all."""
    types = WorkerProfile.objects.filter(name=name).values_list("job_types", flat=True).first()
    return frozenset(types) if types else None
