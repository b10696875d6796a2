"""The benchmark's own job types, in its processes only."""

from django.apps import AppConfig


class BenchmarksConfig(AppConfig):
    """Installed by the settings when `JOBSITE_BENCH` is set."""

    name = "benchmarks"
