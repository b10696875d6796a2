"""The deliveries as people see them: to read, not to change."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from notifications.models import Delivery

if TYPE_CHECKING:
    _DeliveryAdmin = admin.ModelAdmin[Delivery]
else:
    _DeliveryAdmin = admin.ModelAdmin

#: Told apart by shape, so that it needs neither colour nor a style of its own.
_MARKS = {
    Delivery.State.DELIVERED: "✓",
    Delivery.State.FAILED: "✗",
    Delivery.State.RETRYING: "↻",
}


@admin.register(Delivery)
class DeliveryAdmin(_DeliveryAdmin):
    """Who was told what, and whether it arrived."""

    list_display = ("to", "channel", "marked_state", "error", "job_link", "created")
    list_filter = ("state", "channel", "permanent", "template", "created_at")
    search_fields = ("recipient", "subject", "last_error", "=job__id")
    search_help_text = "Recipient, subject, error, or a job's id"
    date_hierarchy = "created_at"
    list_per_page = 50
    show_full_result_count = False
    # The recipient stands there as `to`: a webhook's address can hold a secret.
    fields = (
        "to", "channel", "marked_state", "attempts", "last_error", "permanent", "answer",
        "template", "subject", "job_link", "created_at", "delivered_at", "id",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="recipient", ordering="recipient")
    def to(self, delivery: Delivery) -> str:
        """Return the recipient, redacted."""
        return delivery.shown_recipient

    @admin.display(description="state", ordering="state")
    def marked_state(self, delivery: Delivery) -> str:
        """Return the state with its mark."""
        mark = _MARKS.get(Delivery.State(delivery.state), "…")
        return f"{mark}\N{NO-BREAK SPACE}{delivery.get_state_display()}"

    @admin.display(description="error")
    def error(self, delivery: Delivery) -> str:
        """Return the beginning of the last error."""
        return Truncator(delivery.last_error).chars(80)

    @admin.display(description="created", ordering="created_at")
    def created(self, delivery: Delivery) -> str:
        """Return when the delivery was made, short enough for the list."""
        return date_format(timezone.localtime(delivery.created_at), "j M H:i")

    @admin.display(description="job", ordering="job_id")
    def job_link(self, delivery: Delivery) -> SafeString | str:
        """Return a link to the job, while there is one."""
        if delivery.job_id is None:
            return "—"
        return format_html(
            '<a href="{}">{}</a>',
            reverse("admin:jobs_job_change", args=[delivery.job_id]),
            str(delivery.job_id)[-8:],
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Deliveries are made by jobs."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        """Deliveries are what happened."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        """A delivery that is gone would be sent again."""
        return False
