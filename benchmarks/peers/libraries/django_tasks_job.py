"""The task of `django_tasks_db`, which the worker imports by this name."""

from django_tasks import task

from benchmarks.peers import record


@task()
def job(sent: float) -> None:
    """Do nothing but say so."""
    record.record(sent)
