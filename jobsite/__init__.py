"""The composition root: settings, the Celery app, the embedded services, URLs."""

from jobsite.celery import app as celery_app

__all__ = ["celery_app"]
