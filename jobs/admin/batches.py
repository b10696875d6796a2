"""Batches: how far they are, how they ended, and cancelling them."""

from contextlib import suppress
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from jobs.admin.display import badge, full_moment, in_words, moment
from jobs.admin.links import jobs_list
from jobs.admin.read_only import ReadOnlyAdmin
from jobs.domain.errors import BatchClosed
from jobs.domain.states import State
from jobs.models import Batch
from jobs.selectors.batches import Progress, progress_of
from jobs.services.batches import cancel_batch


class StateFilter(admin.SimpleListFilter):
    """Those that go on, and those that have finished."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return what a batch can be."""
        return [("live", "goes on"), ("finished", "finished"), ("cancelled", "cancelled")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Batch]) -> QuerySet[Batch]:
        """Narrow the list."""
        match self.value():
            case "live":
                return queryset.filter(finished_at=None)
            case "finished":
                return queryset.filter(finished_at__isnull=False, cancelled_at=None)
            case "cancelled":
                return queryset.filter(cancelled_at__isnull=False)
        return queryset


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    """Batches are made in code and over HTTP; here they are watched, and cancelled."""

    audited = True
    tenant_column = "tenant"
    list_display = ("name_or_id", "state_badge", "progress", "jobs_in_short", "created", "ended")
    list_filter = (StateFilter,)
    search_fields = ("name", "=id")
    search_help_text = "Name, or the whole id"
    ordering = ("-id",)
    sortable_by = ()
    actions = ("cancel_selected",)
    fields = (
        "name", "id", "tenant", "state_badge", "progress", "jobs_by_state", "led_to",
        "last_error", "created_by", "created_exactly", "closed_exactly", "ended_exactly",
    )  # fmt: skip
    readonly_fields = fields

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may cancel batches."""
        return request.user.has_perm("jobs.cancel_batch") and self.has_view_permission(request)

    @admin.action(description="Cancel selected batches", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Batch]) -> None:
        """Cancel every job of them that has not ended."""
        batches = cancelled = 0
        for batch in queryset:
            with suppress(BatchClosed):
                cancelled += cancel_batch(batch, actor=request.user.get_username())
                batches += 1
        text = f"{batches} batches cancelled, with {cancelled} jobs that had not ended."
        if not batches:
            text = "They have all finished: there was nothing to cancel."
        self.message_user(request, text, messages.SUCCESS if batches else messages.INFO)

    @admin.display(description="batch")
    def name_or_id(self, batch: Batch) -> str:
        """Return the name, or the id of one without."""
        return str(batch)

    @admin.display(description="state")
    def state_badge(self, batch: Batch) -> SafeString:
        """Return how it is; one that has finished looks as its jobs have ended."""
        if batch.state == "finished" and set(batch.counts or ()) - {State.COMPLETED}:
            return badge(State.FAILED, batch.state)
        return badge(batch.state)

    @admin.display(description="progress")
    def progress(self, batch: Batch) -> SafeString:
        """Return how much of it has ended."""
        found = self._progress(batch)
        return format_html(
            '<progress max="100" value="{0}">{0} %</progress> <span class="job-exact">{1} of {2}'
            "</span>",
            found.percent,
            f"{found.ended:,}",
            f"{found.total:,}",
        )

    @admin.display(description="jobs")
    def jobs_in_short(self, batch: Batch) -> SafeString | str:
        """Return how many of its jobs are in each state, by the states' signs."""
        counts = self._progress(batch).counts.items()
        signs = ((f"{count:,} {state}", badge(state, f"{count:,}")) for state, count in counts)
        return format_html_join(" ", '<span title="{}">{}</span>', signs) or "—"

    @admin.display(description="jobs")
    def jobs_by_state(self, batch: Batch) -> SafeString | str:
        """Return how many of its jobs are in each state, each a link to them."""
        links = (
            (
                jobs_list(self.admin_site, f"batch={batch.pk}&state={state}"),
                badge(state, f"{count:,} {state}"),
            )
            for state, count in self._progress(batch).counts.items()
        )
        return format_html_join(" ", '<a href="{}">{}</a>', links) or "—"

    @admin.display(description="leads to")
    def led_to(self, batch: Batch) -> SafeString | str:
        """Return what its end leads to."""
        kept = ((in_words(moment), each["type"]) for moment, each in batch.callbacks.items())
        return format_html_join(", ", "{}: <code>{}</code>", kept) or "—"

    @admin.display(description="created", ordering="id")
    def created(self, batch: Batch) -> SafeString | str:
        """Return when it was made."""
        return moment(batch.created_at)

    @admin.display(description="ended")
    def ended(self, batch: Batch) -> SafeString | str:
        """Return when the last of its jobs had ended."""
        return moment(batch.finished_at)

    @admin.display(description="created")
    def created_exactly(self, batch: Batch) -> SafeString | str:
        """Return when it was made, to the second."""
        return full_moment(batch.created_at)

    @admin.display(description="closed")
    def closed_exactly(self, batch: Batch) -> SafeString | str:
        """Return since when no more jobs are expected."""
        return full_moment(batch.closed_at)

    @admin.display(description="ended")
    def ended_exactly(self, batch: Batch) -> SafeString | str:
        """Return when the last of its jobs had ended, to the second."""
        return full_moment(batch.finished_at)

    @staticmethod
    def _progress(batch: Batch) -> Progress:
        """Return how far it is, asked once a page."""
        known: Progress | None = batch.__dict__.get("_progress")
        if known is None:
            known = batch.__dict__["_progress"] = progress_of(batch)
        return known
