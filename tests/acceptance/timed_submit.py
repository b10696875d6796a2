"""Submits a job and prints how long that took."""

import json
import sys
import time

import django

django.setup()

from jobs.public import submit  # noqa: E402

began = time.monotonic()
submission = submit("sample.echo")
seconds = time.monotonic() - began
sys.stdout.write(json.dumps({"job_id": str(submission.job_id), "seconds": seconds}) + "\n")
