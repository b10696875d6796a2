"""Removes everything that has been kept long enough, here and in the job engine."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.apps import apps
from django.db.models import Model, QuerySet

from jobs import public
from maintenance import metrics_files
from maintenance.conf import maintenance_settings
from maintenance.models import HealthReport

Rows = QuerySet[Any]


def clean_up(
    *,
    now: datetime,
    dry_run: bool = False,
    batch_size: int = 500,
    on_batch: Callable[[int], None] = lambda _removed: None,
) -> dict[str, int]:
    """Remove what is past its retention at `now`, in batches, each its own transaction.

    Args:
        now: the moment to count from.
        dry_run: only count; the counts are those that a real run at the same moment removes.
        batch_size: rows a batch.
        on_batch: called with the number of rows removed so far, after each batch.

    Returns:
        How much each rule removes: those of `public.purge`, and ours.
    """
    removed = public.purge(now=now, dry_run=dry_run, batch_size=batch_size, on_batch=on_batch)
    for name, rows in _rows_past(now):
        removed[name] = rows.count() if dry_run else 0
        if not dry_run:
            for count in _delete_in_batches(rows, batch_size):
                removed[name] += count
                on_batch(sum(removed.values()))
    removed["metrics_files"] = metrics_files.sweep(dry_run=dry_run)
    return removed


def _rows_past(now: datetime) -> Iterator[tuple[str, Rows]]:
    """Yield what each of our own rules finds, by the rule's name."""
    kept = maintenance_settings().health_reports_kept
    yield "health_reports", HealthReport.objects.filter(at__lt=now - kept)
    if session := _model("sessions", "Session"):
        yield "sessions", session.objects.filter(expire_date__lt=now)  # type: ignore[attr-defined]
    if deliveries := _model("notifications", "EventDelivery"):
        sent = now - maintenance_settings().event_deliveries_kept
        yield "event_deliveries", deliveries.objects.filter(created_at__lt=sent)  # type: ignore[attr-defined]
    results_kept = _results_kept()
    for name, model_name in (("task_results", "TaskResult"), ("group_results", "GroupResult")):
        model = _model("django_celery_results", model_name)
        if model and results_kept is not None:
            yield name, model.objects.filter(date_done__lt=now - results_kept)  # type: ignore[attr-defined]


def _model(app: str, name: str) -> type[Model] | None:
    return apps.get_model(app, name) if name.lower() in apps.all_models.get(app, {}) else None


def _results_kept() -> timedelta | None:
    """Return how long Celery's results are kept, by its own setting: 24 hours unless changed."""
    expires = current_app.conf.result_expires
    if not expires:
        return None
    return expires if isinstance(expires, timedelta) else timedelta(seconds=expires)


def _delete_in_batches(rows: Rows, batch_size: int) -> Iterator[int]:
    while True:
        some = rows.order_by("pk").values("pk")[:batch_size]
        count, _ = rows.model._default_manager.filter(pk__in=some).delete()
        if count:
            yield count
        if count < batch_size:
            return
