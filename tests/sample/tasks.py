"""A plain Celery task, which runs beside jobs; and ways to make a worker ill."""

import logging
import time
from typing import Any

from celery import shared_task
from celery.worker.control import control_command

logger = logging.getLogger(__name__)


@shared_task(name="sample.plain", ignore_result=False)
def plain(number: int) -> int:
    return number * 2


@control_command()
def go_deaf(state: Any) -> None:
    """Stop delivering messages, as a broken connection does that nobody notices."""
    state.consumer.task_consumer.cancel()
    logger.warning("went deaf")


@control_command()
def go_stuck(state: Any) -> None:
    """Have the pool never come to its end, as when it waits for a child that it believes alive."""
    state.consumer.pool.stop = lambda: time.sleep(3600)
    logger.warning("went stuck")
