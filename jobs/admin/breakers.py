"""Circuit breakers: which outside services are left alone, and letting jobs try them again."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from jobs.admin.display import badge, moment
from jobs.admin.read_only import ReadOnlyAdmin
from jobs.models import Breaker
from jobs.services import breakers

_LOOK = {
    Breaker.State.CLOSED: ("enabled", "closed"),
    Breaker.State.OPEN: ("lost", "open: left alone"),
    Breaker.State.HALF_OPEN: ("paused", "being tried"),
}


@admin.register(Breaker)
class BreakerAdmin(ReadOnlyAdmin):
    """Workers write them; here they are watched, and reset."""

    audited = True
    list_display = ("service", "state_badge", "failures", "opened", "openings", "last_error")
    list_display_links = None
    list_filter = ("state",)
    search_fields = ("service",)
    sortable_by = ()
    ordering = ("service",)
    actions = ("reset_selected",)

    def has_reset_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may reset breakers."""
        return request.user.has_perm("jobs.reset_breaker") and self.has_view_permission(request)

    @admin.action(description="Have selected services tried again now", permissions=["reset"])
    def reset_selected(self, request: HttpRequest, queryset: QuerySet[Breaker]) -> None:
        """Close the breakers."""
        actor = request.user.get_username()
        done = [each.pk for each in queryset if breakers.reset(each.pk, actor=actor)]
        text = f"Jobs try again: {', '.join(done)}." if done else "None of them was left alone."
        self.message_user(request, text, messages.SUCCESS if done else messages.INFO)

    @admin.display(description="state")
    def state_badge(self, breaker: Breaker) -> SafeString:
        """Return how it is."""
        look, text = _LOOK[Breaker.State(breaker.state)]
        return badge(look, text)

    @admin.display(description="left alone since")
    def opened(self, breaker: Breaker) -> SafeString | str:
        """Return since when it is open."""
        return moment(breaker.opened_at)
