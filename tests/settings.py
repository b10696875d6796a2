"""The site's settings for the suite: on a stack of its own, with the sample job types."""

import os
from pathlib import Path

from tests.stack.run import RUN, begin

begin()

from jobsite.settings import *  # noqa: E402, F403
from jobsite.settings import DATABASES, INSTALLED_APPS  # noqa: E402

INSTALLED_APPS = [*INSTALLED_APPS, "tests.sample"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if (run := os.environ.get(RUN)) and "sqlite3" in DATABASES["default"]["ENGINE"]:
    # A file, which the worker and beat of the acceptance tests can share; the default is memory.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(run) / "test.sqlite3")}
