"""The Celery app: `celery -A jobsite worker`, `beat` and `flower` begin here."""

import os
from typing import Any

import django
from celery import Celery, signals
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jobsite.settings")

app = Celery("jobsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_configure.connect
def _set_django_up(**_: Any) -> None:
    """Set Django up for commands that only send messages, such as `celery call`.

    The result backend is made of models.
    """
    if not apps.models_ready and not apps.loading:
        django.setup()


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
