"""Submits a job, and is killed as soon as that has returned."""

import os
import signal

import django

django.setup()

from jobs.public import submit  # noqa: E402

submission = submit("sample.echo", {"value": "kept"})
os.write(1, str(submission.job_id).encode())
os.kill(os.getpid(), signal.SIGKILL)
