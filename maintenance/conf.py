"""The app's settings: `MAINTENANCE` in Django's settings, a dictionary with names in upper case."""

from datetime import timedelta
from functools import cache
from typing import Annotated, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Ratio = Annotated[float, Field(ge=0, le=1)]


class MaintenanceSettings(BaseModel):
    """Every setting of the app, checked at start; each name says its unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: How long a health check may take, unless it says otherwise itself.
    check_timeout_seconds: float = Field(default=2, gt=0, le=60)
    min_available_memory_ratio: Ratio = 0.05
    #: Of the process that runs the checks.
    max_rss_bytes: int = Field(default=2 * 1024**3, ge=1)
    min_free_disk_ratio: Ratio = 0.05
    #: So many ready jobs are too many.
    max_waiting_jobs: int = Field(default=1000, ge=1)
    #: So many dead letters are too many.
    max_failed_jobs: int = Field(default=100, ge=1)
    #: A type has become slower if its average is at least so many times what it was …
    regression_ratio: float = Field(default=1.5, gt=1)
    #: … and at least so much longer.
    regression_seconds: float = Field(default=0.05, ge=0)
    health_reports_kept_seconds: float = Field(default=7 * 86_400, ge=0, le=366 * 86_400)

    #: What webhooks about events sent, and what was answered.
    event_deliveries_kept_seconds: float = Field(default=30 * 86_400, ge=0, le=366 * 86_400)

    @property
    def event_deliveries_kept(self) -> timedelta:
        """How long deliveries of events are kept."""
        return timedelta(seconds=self.event_deliveries_kept_seconds)

    @property
    def health_reports_kept(self) -> timedelta:
        """How long health reports are kept."""
        return timedelta(seconds=self.health_reports_kept_seconds)


@cache
def maintenance_settings() -> MaintenanceSettings:
    """Return the settings, read once.

    Raises:
        ImproperlyConfigured: a value is wrong or a name unknown; the message says which.
    """
    declared: dict[str, Any] = getattr(settings, "MAINTENANCE", {})
    try:
        return MaintenanceSettings(**{name.lower(): value for name, value in declared.items()})
    except ValidationError as error:
        told = "; ".join(
            f'MAINTENANCE["{str(one["loc"][0]).upper()}"] is {one["input"]!r}: {one["msg"]}'
            for one in error.errors(include_url=False)
        )
        raise ImproperlyConfigured(told) from None


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "MAINTENANCE":
        maintenance_settings.cache_clear()


setting_changed.connect(_forget, dispatch_uid="maintenance.conf")
