"""Plain Celery to measure beside: an app of its own on the same broker, with Celery's defaults.

A message for each task, no row, no result, no history: what a site does without this project.
"""

import os
import time

from celery import Celery

QUEUE = "plain"
# Not the current app: that is the site's, whose doorbells go through it.
app = Celery("plain", broker=os.environ.get("BENCH_BROKER", ""), set_as_current=False)
app.conf.task_ignore_result = True
app.conf.task_default_queue = QUEUE


@app.task
def noop(number: int) -> None:
    """Do nothing."""


@app.task
def stamp(sent: float, path: str) -> None:
    """Write down how many seconds it took to begin."""
    began = time.time()
    with open(path, "a") as file:
        file.write(f"{began - sent}\n")
