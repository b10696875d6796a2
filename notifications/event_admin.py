"""Who is told about events, and what became of each, in the admin."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.public_admin import ReadOnlyAdmin, badge, full_moment, moment
from notifications import subscriptions
from notifications.models import EventDelivery, EventSubscription

_LOOKS = {"pending": "queued", "delivered": "completed"}


@admin.register(EventSubscription)
class EventSubscriptionAdmin(ReadOnlyAdmin):
    """Subscriptions are made over the API; here they are watched and switched."""

    #: The audit's page offers them as targets.
    audited = True
    tenant_column = "tenant"
    list_display = ("name_and_reason", "state", "to", "told_of", "types", "tenant", "owner")
    list_filter = ("enabled",)
    search_fields = ("name", "url")
    search_help_text = "Name or address"
    ordering = ("name",)
    list_select_related = ("owner",)
    actions = ("enable", "disable")
    fields = (
        "name", "state", "disabled_reason", "to", "told_of", "types", "tenant", "owner",
        "created_exactly",
    )  # fmt: skip
    readonly_fields = fields

    def has_switch_permission(self, request: HttpRequest) -> bool:
        """Those who may change subscriptions."""
        return request.user.has_perm("notifications.change_eventsubscription")

    @admin.action(description="Enable selected subscriptions", permissions=["switch"])
    def enable(self, request: HttpRequest, queryset: QuerySet[EventSubscription]) -> None:
        """Send events to them from now on."""
        self._switch(request, queryset, enabled=True)

    @admin.action(description="Disable selected subscriptions", permissions=["switch"])
    def disable(self, request: HttpRequest, queryset: QuerySet[EventSubscription]) -> None:
        """Send them nothing."""
        self._switch(request, queryset, enabled=False)

    def _switch(
        self, request: HttpRequest, chosen: QuerySet[EventSubscription], *, enabled: bool
    ) -> None:
        for subscription in chosen.exclude(enabled=enabled):
            actor = request.user.get_username()
            subscriptions.change(subscription, actor=actor, enabled=enabled)
        done = "enabled" if enabled else "disabled"
        self.message_user(request, f"The selected subscriptions are {done}.", messages.SUCCESS)

    @admin.display(description="name", ordering="name")
    def name_and_reason(self, subscription: EventSubscription) -> SafeString:
        """Return the name, and below it why Jobsite disabled it."""
        why = "" if subscription.enabled else subscription.disabled_reason
        shown = format_html('<div class="job-error-line">{}</div>', why) if why else ""
        return format_html("{}{}", subscription.name, shown)

    @admin.display(description="state", ordering="enabled")
    def state(self, subscription: EventSubscription) -> SafeString:
        """Return whether events are sent to it."""
        return badge("enabled") if subscription.enabled else badge("paused", "disabled")

    @admin.display(description="address")
    def to(self, subscription: EventSubscription) -> str:
        """Return the address, without what in it may be secret."""
        return subscription.shown_url

    @admin.display(description="events")
    def told_of(self, subscription: EventSubscription) -> str:
        """Return which events."""
        return ", ".join(subscription.events)

    @admin.display(description="job types")
    def types(self, subscription: EventSubscription) -> str:
        """Return of which job types."""
        return ", ".join(subscription.job_types) or "any"

    @admin.display(description="created")
    def created_exactly(self, subscription: EventSubscription) -> SafeString | str:
        """Return when it was made."""
        return full_moment(subscription.created_at)


@admin.register(EventDelivery)
class EventDeliveryAdmin(ReadOnlyAdmin):
    """What was sent, and what was answered; it can be sent again."""

    tenant_column = "subscription__tenant"
    list_display = (
        "event_and_error",
        "state_badge",
        "subscription",
        "attempts",
        "answer",
        "created",
    )
    list_filter = ("state", "event", "subscription")
    ordering = ("-created_at",)
    list_select_related = ("subscription",)
    actions = ("send_again",)
    fields = (
        "event", "subscription", "state_badge", "attempts", "last_error", "answer", "payload",
        "created_exactly", "delivered_exactly", "id",
    )  # fmt: skip
    readonly_fields = fields

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Those who may change subscriptions."""
        return request.user.has_perm("notifications.change_eventsubscription")

    @admin.action(description="Send selected events again", permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[EventDelivery]) -> None:
        """Send them again, under the ids that they had."""
        actor = request.user.get_username()
        chosen = EventDelivery.objects.filter(pk__in=queryset.values_list("pk", flat=True))
        count = subscriptions.send_again(chosen, actor=actor)
        text = f"{count} event{'' if count == 1 else 's'} sent again."
        self.message_user(request, text, messages.SUCCESS)

    @admin.display(description="event", ordering="event")
    def event_and_error(self, delivery: EventDelivery) -> SafeString:
        """Return the event, and below it why it has not arrived."""
        error = delivery.last_error
        shown = format_html('<div class="job-error-line">{}</div>', error) if error else ""
        return format_html("{}{}", delivery.event, shown)

    @admin.display(description="state", ordering="state")
    def state_badge(self, delivery: EventDelivery) -> SafeString:
        """Return where it stands."""
        return badge(_LOOKS.get(delivery.state, delivery.state), delivery.state)

    @admin.display(description="created", ordering="created_at")
    def created(self, delivery: EventDelivery) -> SafeString | str:
        """Return when the event happened."""
        return moment(delivery.created_at)

    @admin.display(description="created")
    def created_exactly(self, delivery: EventDelivery) -> SafeString | str:
        """Return when the event happened."""
        return full_moment(delivery.created_at)

    @admin.display(description="delivered")
    def delivered_exactly(self, delivery: EventDelivery) -> SafeString | str:
        """Return when it was taken."""
        return full_moment(delivery.delivered_at)
