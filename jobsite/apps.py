"""The composition root as a Django app: it adds the verbs that need the whole site."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The site."""

    name = "jobsite"

    def ready(self) -> None:
        """Add `up`, `demo` and `redis` to `manage.py jobs`."""
        from jobs.management.verbs import VERBS
        from jobsite.demo import verb as demo
        from jobsite.supervision import redis, up

        VERBS.update({"up": up, "demo": demo, "redis": redis})
