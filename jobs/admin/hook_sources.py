"""Who sends webhooks: added with a secret that is shown once, switched and removed."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables

from jobs.admin.display import badge, full_moment, moment
from jobs.admin.read_only import ReadOnlyAdmin
from jobs.domain.errors import JobsError
from jobs.domain.hooks import HookKind
from jobs.domain.registry import registry
from jobs.models import HookSource, Tenant
from jobs.services.hooks import (
    NewHookSource,
    create_source,
    remove_source,
    switch_source,
    takes_webhooks,
)


def _types() -> list[tuple[str, str]]:
    """Return the job types that take a webhook."""
    return [(each.name, each.name) for each in registry if takes_webhooks(each)]


class SourceForm(forms.Form):
    """Who sends, and what each webhook becomes."""

    name = forms.CharField(
        max_length=50,
        widget=forms.TextInput({"class": "vTextField"}),
        help_text="For the address: lower-case letters, digits and dashes, such as our-repo.",
    )
    kind = forms.ChoiceField(choices=[(kind.value, kind.value) for kind in HookKind])
    job_type = forms.ChoiceField(
        choices=_types,
        help_text="What each becomes: a job type whose parameters are a HookDelivery. If there is "
        "none to choose, declare one first.",
    )
    tenant = forms.ModelChoiceField(
        required=False,
        queryset=Tenant.objects.order_by("slug"),
        help_text="Whose the jobs are; empty: nobody's.",
    )

    def make(self, actor: str) -> NewHookSource | None:
        """Add the source, or put what is wrong on the form and return None."""
        told = self.cleaned_data
        try:
            return create_source(
                told["name"],
                kind=told["kind"],
                job_type=told["job_type"],
                actor=actor,
                tenant=told["tenant"].slug if told["tenant"] else "",
            )
        except JobsError as error:
            self.add_error(None, str(error))
        return None


@admin.register(HookSource)
class HookSourceAdmin(ReadOnlyAdmin):
    """Sources are added, switched and removed; a new secret is made on the command line."""

    list_display = ("name", "kind", "job_type", "tenant", "state", "received")
    list_filter = ("kind", "enabled")
    search_fields = ("name", "job_type")
    ordering = ("name",)
    actions = ("enable", "disable")
    fields = (
        "name", "address", "kind", "job_type", "tenant", "state", "created_exactly",
        "received_exactly",
    )  # fmt: skip
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Those who may add sources."""
        return self.is_for(request) and request.user.has_perm("jobs.add_hooksource")

    def has_switch_permission(self, request: HttpRequest) -> bool:
        """Those who may change them."""
        return self.is_for(request) and request.user.has_perm("jobs.change_hooksource")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those who may remove them."""
        return self.is_for(request) and request.user.has_perm("jobs.delete_hooksource")

    @method_decorator(never_cache)
    @method_decorator(sensitive_variables("new"))
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Ask who sends; add the source, and show its secret this once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = SourceForm(request.POST if request.method == "POST" else None)
        new = form.make(request.user.get_username()) if form.is_valid() else None
        context = {**self.admin_site.each_context(request), "opts": self.opts}
        if new is not None:
            told = {"source": new.source, "secret": new.secret, "address": _address(request, new)}
            made = {**context, **told, "title": "Keep this secret now"}
            return TemplateResponse(request, "admin/jobs/hooksource/made.html", made)
        fieldsets: Any = [(None, {"fields": list(form.fields)})]
        asked = {
            **context,
            "title": "Take webhooks",
            "adminform": AdminForm(cast(Any, form), fieldsets, {}),
            "errors": form.errors,
            "media": self.media,
        }
        return TemplateResponse(request, "admin/jobs/hooksource/make.html", asked)

    def delete_model(self, request: HttpRequest, obj: HookSource) -> None:
        """Take no more webhooks from it, and say who did; its jobs stay."""
        remove_source(obj, actor=request.user.get_username())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[HookSource]) -> None:
        """Take no more webhooks from them."""
        for source in queryset:
            self.delete_model(request, source)

    @admin.action(description="Enable selected sources", permissions=["switch"])
    def enable(self, request: HttpRequest, queryset: QuerySet[HookSource]) -> None:
        """Take their webhooks."""
        self._switch(request, queryset, enabled=True)

    @admin.action(description="Disable selected sources", permissions=["switch"])
    def disable(self, request: HttpRequest, queryset: QuerySet[HookSource]) -> None:
        """Refuse their webhooks, as if they were not there."""
        self._switch(request, queryset, enabled=False)

    def _switch(
        self, request: HttpRequest, sources: QuerySet[HookSource], *, enabled: bool
    ) -> None:
        for source in sources:
            switch_source(source, enabled=enabled, actor=request.user.get_username())
        done = "enabled" if enabled else "disabled"
        self.message_user(request, f"The selected sources are {done}.", messages.SUCCESS)

    @admin.display(description="address")
    def address(self, source: HookSource) -> str:
        """Return where it sends to, below the site's address."""
        return reverse("api:receive_webhook", kwargs={"source": source.name})

    @admin.display(description="state")
    def state(self, source: HookSource) -> SafeString:
        """Return whether its webhooks are taken."""
        return badge("enabled") if source.enabled else badge("paused", "disabled")

    @admin.display(description="last received", ordering="last_received_at")
    def received(self, source: HookSource) -> SafeString | str:
        """Return when something last came."""
        return moment(source.last_received_at)

    @admin.display(description="created")
    def created_exactly(self, source: HookSource) -> SafeString | str:
        """Return when it was added."""
        return full_moment(source.created_at)

    @admin.display(description="last received")
    def received_exactly(self, source: HookSource) -> SafeString | str:
        """Return when something last came."""
        return full_moment(source.last_received_at)


def _address(request: HttpRequest, new: NewHookSource) -> str:
    path = reverse("api:receive_webhook", kwargs={"source": new.source.name})
    return str(request.build_absolute_uri(path))
