"""Users with different permissions, each with a browser of their own, and jobs in every state."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from pydantic import BaseModel

from jobs import JobContext, job_type
from jobs.domain.registry import registry
from jobs.domain.states import State
from jobs.models import Job, Schedule
from jobs.services.submission import submit


@pytest.fixture(autouse=True)
def memory_backend(settings: Any) -> None:
    settings.JOBS = {**settings.JOBS, "BACKEND": "memory"}


@pytest.fixture(autouse=True)
def no_schedules(db: None) -> None:
    Schedule.objects.all().delete()  # those that products bring


@pytest.fixture
def site_admin(db: None) -> User:
    return User.objects.create_superuser("root", "root@example.org", "secret")


@pytest.fixture
def browser(site_admin: User) -> Client:
    client = Client()
    client.force_login(site_admin)
    return client


@pytest.fixture
def browser_of(db: None) -> Callable[..., Client]:
    """Return a browser of a member of the staff with these permissions on the engine's models."""

    def make(*codenames: str) -> Client:
        user = User.objects.create_user("staff", password="secret", is_staff=True)
        found = Permission.objects.filter(
            content_type__app_label__in=["jobs", "notifications"], codename__in=codenames
        )
        assert {each.codename for each in found} == set(codenames)
        user.user_permissions.set(found)
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def job_in(db: None) -> Callable[..., Job]:
    """Return a stored job in a state."""

    def make(state: str = State.QUEUED, **fields: Any) -> Job:
        job_id = submit(fields.pop("job_type", "sample.echo"), fields.pop("params", None)).job_id
        now = timezone.now()
        final = state in (State.COMPLETED, State.FAILED, State.CANCELLED)
        begun = final or state in (State.RUNNING, State.RETRYING)
        told = {
            "state": state,
            "finished_at": now if final else None,
            "started_at": now - timedelta(seconds=90) if begun else None,
            "run": 1 if begun else 0,
            "attempt": 1 if begun else 0,
            **fields,
        }
        Job.objects.filter(pk=job_id).update(**told)
        return Job.objects.get(pk=job_id)

    return make


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Callable[[type[BaseModel]], str]:
    """Declare a job type with these parameters, for the test alone; return its name."""
    monkeypatch.setattr(registry, "_types", dict(registry._types))

    def make(model: type[BaseModel]) -> str:
        def handler(params: Any, ctx: JobContext) -> None:
            """Do as the form says."""

        handler.__annotations__["params"] = model
        return job_type("shown.in_a_form")(handler).name

    return make
