"""The test suite's own job types."""

from django.apps import AppConfig


class SampleConfig(AppConfig):
    name = "tests.sample"
    label = "sample"

    def ready(self) -> None:
        """Install the faults, in workers that are to have some."""
        from tests.sample import faults

        faults.install()
