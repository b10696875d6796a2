"""The Celery app: `celery -A jobsite worker`, `beat` and `flower` begin here."""

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jobsite.settings")

app = Celery("jobsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def _keep_logging(**_: Any) -> None:
    """Leave logging as the settings have it; Celery does so when anyone answers this signal."""


@signals.worker_init.connect
@signals.beat_init.connect
def _bring_redis(**_: Any) -> None:
    """Start the embedded Redis, if the site uses it, before the process connects to it."""
    from jobsite import embedded

    try:
        embedded.ensure_running()
    except embedded.EmbeddedRedisError as error:
        raise SystemExit(str(error)) from None
