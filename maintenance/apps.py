"""The Django app."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class MaintenanceConfig(AppConfig):
    """Maintenance."""

    name = "maintenance"
    in_roles = True

    def ready(self) -> None:
        """Find the health checks: our own, and those in `health_checks` of any installed app.

        Raises:
            ImproperlyConfigured: a setting is wrong, or two checks have one name.
        """
        from maintenance.conf import maintenance_settings
        from maintenance.registry import discover

        maintenance_settings()
        discover()
        autodiscover_modules("health_checks")
