"""The deliveries as people see them: to read, not to change."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.public import State
from jobs.public_admin import (
    PeriodFilter,
    ReadOnlyAdmin,
    badge,
    first_line,
    full_moment,
    link_to_job,
    moment,
)
from notifications.event_admin import EventDeliveryAdmin, EventSubscriptionAdmin
from notifications.models import Delivery

__all__ = ["DeliveryAdmin", "EventDeliveryAdmin", "EventSubscriptionAdmin"]

#: Each state of a delivery in the look of a job's.
_LOOKS: Final = {
    Delivery.State.PENDING: State.QUEUED,
    Delivery.State.SENDING: State.RUNNING,
    Delivery.State.RETRYING: State.RETRYING,
    Delivery.State.DELIVERED: State.COMPLETED,
    Delivery.State.FAILED: State.FAILED,
}


class ErrorFilter(admin.SimpleListFilter):
    """Whether the last error is one that trying again cannot help."""

    title = "error"
    parameter_name = "error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the kinds of errors."""
        return [("permanent", "Refused for good"), ("passing", "Another try may help")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        """Narrow the list."""
        if not self.value():
            return queryset
        permanent = self.value() == "permanent"
        return queryset.exclude(last_error="").filter(permanent=permanent)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Who was told what, and whether it arrived."""

    tenant_column = "tenant"
    list_display = ("to_and_error", "state_badge", "channel", "template", "job_link", "created")
    list_filter = ("state", ErrorFilter, PeriodFilter, "channel", "template")
    search_fields = ("recipient", "subject", "last_error", "=job__id")
    search_help_text = "Recipient, subject, error, or a job's id"
    sortable_by = ("to_and_error", "channel", "state_badge", "created")
    # The recipient stands there as `to`: a webhook's address can hold a secret.
    fields = (
        "to", "channel", "state_badge", "attempts", "last_error", "what_follows", "answer",
        "template", "subject", "job_link", "created_exactly", "delivered_exactly", "id",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="recipient")
    def to(self, delivery: Delivery) -> str:
        """Return the recipient, redacted."""
        return delivery.shown_recipient

    @admin.display(description="recipient", ordering="recipient")
    def to_and_error(self, delivery: Delivery) -> SafeString:
        """Return the recipient, redacted, and below it the beginning of the last error."""
        error = first_line(delivery.last_error)
        shown = format_html('<div class="job-error-line">{}</div>', error) if error else ""
        return format_html("{}{}", delivery.shown_recipient, shown)

    @admin.display(description="state", ordering="state")
    def state_badge(self, delivery: Delivery) -> SafeString:
        """Return the state."""
        return badge(_LOOKS[Delivery.State(delivery.state)], delivery.state)

    @admin.display(description="after the error")
    def what_follows(self, delivery: Delivery) -> str:
        """Return what the last error leads to."""
        if delivery.state == Delivery.State.RETRYING:
            return "it will be tried again"
        if delivery.state != Delivery.State.FAILED:
            return "—"
        return "refused for good" if delivery.permanent else "given up after the job's last attempt"

    @admin.display(description="created", ordering="created_at")
    def created(self, delivery: Delivery) -> SafeString | str:
        """Return when the delivery was made."""
        return moment(delivery.created_at)

    @admin.display(description="created")
    def created_exactly(self, delivery: Delivery) -> SafeString | str:
        """Return when the delivery was made, to the second."""
        return full_moment(delivery.created_at)

    @admin.display(description="delivered")
    def delivered_exactly(self, delivery: Delivery) -> SafeString | str:
        """Return when the other side took it, to the second."""
        return full_moment(delivery.delivered_at)

    @admin.display(description="job")
    def job_link(self, delivery: Delivery) -> SafeString | str:
        """Return a link to the job, while there is one."""
        return link_to_job(self.admin_site, delivery.job_id) if delivery.job_id else "—"
