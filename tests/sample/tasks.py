"""A plain Celery task, which runs beside jobs."""

from celery import shared_task


@shared_task(name="sample.plain", ignore_result=False)
def plain(number: int) -> int:
    return number * 2
