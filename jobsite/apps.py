"""The composition root as a Django app: it adds the verbs that need the whole site."""

from importlib import import_module
from typing import cast

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The site."""

    name = "jobsite"

    def ready(self) -> None:
        """Add `up`, `demo`, `redis` and `bench` to `manage.py jobs`."""
        from jobs.management.verbs import VERBS, Verb
        from jobsite.demo import verb as demo
        from jobsite.supervision import redis, up

        # By its name: the benchmark stands above the site.
        bench = import_module("benchmarks.verb")
        VERBS.update({"up": up, "demo": demo, "redis": redis, "bench": cast(Verb, bench)})
