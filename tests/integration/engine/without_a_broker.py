"""Submits a job, and its child with it, on the back end that the environment names."""

import json
import sys

import django

django.setup()

from jobs.backends.memory import MemoryBackend, drain  # noqa: E402
from jobs.public import get, submit  # noqa: E402
from jobs.services.doorbell import backend  # noqa: E402

job_id = submit("sample.parent").job_id
told: dict[str, object] = {"job_id": str(job_id), "at_once": get(job_id).state}
if isinstance(backend(), MemoryBackend):
    told["runs"] = drain()
sys.stdout.write(json.dumps(told) + "\n")
