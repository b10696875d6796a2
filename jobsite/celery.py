"""The Celery app: `celery -A jobsite worker`, `beat` and `flower` begin here."""

import os

# Before Celery is imported, which reads it then. SIGTERM lets running jobs finish for a while
# (CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT); Celery's own answer to it waits without a limit.
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")

from celery import Celery  # noqa: E402

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jobsite.settings")

app = Celery("jobsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
