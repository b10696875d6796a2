"""The demo as a Django app, installed only while it runs."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Adds the demo's job types."""

    name = "jobsite.demo"
    label = "demo"
