"""Submits jobs and prints how long each took, with everything but the submission done before."""

import json
import sys
import time

import django

django.setup()

from celery import current_app  # noqa: E402
from django.db import transaction  # noqa: E402

from jobs.public import submit  # noqa: E402

current_app.connection_for_write().get_transport_cls()
current_app.amqp.send_task_message  # noqa: B018 - made when it is first asked for
with transaction.atomic():
    submit("sample.echo")
    transaction.set_rollback(True)  # so that nothing has asked the broker yet

for _ in range(int(sys.argv[1])):
    began = time.monotonic()
    submission = submit("sample.echo")
    seconds = time.monotonic() - began
    sys.stdout.write(json.dumps([str(submission.job_id), seconds]) + "\n")
