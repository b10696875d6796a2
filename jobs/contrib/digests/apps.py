"""The Django app."""

from django.apps import AppConfig


class DigestsConfig(AppConfig):
    """Repository digests."""

    name = "jobs.contrib.digests"
    in_roles = True
    label = "digests"
