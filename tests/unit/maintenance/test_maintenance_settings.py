"""Settings are checked, and a wrong one is named."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from maintenance.conf import maintenance_settings


def test_without_settings_there_are_defaults() -> None:
    defaults = maintenance_settings()
    assert (defaults.max_waiting_jobs, defaults.max_failed_jobs) == (1000, 100)
    assert defaults.health_reports_kept.days == 7


def test_a_setting_replaces_its_default(settings: Settings) -> None:
    settings.MAINTENANCE = {"MAX_WAITING_JOBS": 5}
    assert maintenance_settings().max_waiting_jobs == 5


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"MIN_FREE_DISK_RATIO": 5}, r'MAINTENANCE\["MIN_FREE_DISK_RATIO"\] is 5: .*less than'),
        ({"MAX_FAILED_JOB": 5}, r'MAINTENANCE\["MAX_FAILED_JOB"\] is 5: .*not permitted'),
    ],
)
def test_a_wrong_setting_is_named(
    settings: Settings, declared: dict[str, Any], message: str
) -> None:
    settings.MAINTENANCE = declared
    with pytest.raises(ImproperlyConfigured, match=message):
        maintenance_settings()
