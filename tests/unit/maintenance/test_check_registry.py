"""Checks are found by being there, and each has a name of its own."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from maintenance import registry
from maintenance.registry import health_check, health_checks, readiness_checks


@pytest.fixture(autouse=True)
def _own_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_checks", dict(registry._checks))


def test_every_module_of_the_package_is_a_check() -> None:
    assert {check.name: check.required for check in health_checks()} == {
        "broker": True,
        "database": True,
        "disk": True,
        "github": False,
        "job-queue": True,
        "memory": True,
        "slack": False,
        "smtp": False,
        "workers": True,
    }


def test_a_web_process_needs_the_database_and_the_broker() -> None:
    assert [check.name for check in readiness_checks()] == ["broker", "database"]


def test_a_function_with_the_decorator_is_a_check() -> None:
    @health_check("licence", required=True)
    def check_licence() -> str:
        return "valid"

    found = {check.name: check for check in health_checks()}["licence"]
    assert (found.check, found.required, found.readiness) == (check_licence, True, False)


def test_a_name_belongs_to_one_check() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"'disk' is declared twice.*checks\.disk"):
        health_check("disk")(lambda: "")
