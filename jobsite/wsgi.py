"""The WSGI application, for gunicorn and the like."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jobsite.settings")

application = get_wsgi_application()

# What the first request would load while someone waits for it.
get_resolver().url_patterns  # noqa: B018 - reading it loads every view
# All of that stays: a look through it for garbage would hold up requests for 50 ms at a time.
gc.collect()
gc.freeze()
