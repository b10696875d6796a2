"""A plain Celery task, which runs beside jobs; and a way to make a worker deaf."""

import logging
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
