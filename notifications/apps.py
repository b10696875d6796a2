"""The Django app."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Notifications."""

    name = "notifications"
    in_roles = True

    def ready(self) -> None:
        """Have events become webhooks for those who subscribed to them."""
        from jobs.public import add_sink
        from notifications.events import sink

        add_sink(sink)
