"""The API keys: made, shown once, and revoked."""

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables

from jobs.admin.display import badge, full_moment, moment
from jobs.admin.read_only import ReadOnlyAdmin
from jobs.domain.access import Role, Scope
from jobs.domain.errors import InvalidAccess
from jobs.models import ApiKey, Tenant
from jobs.services.api_keys import NewKey, create_key, revoke_key


class KeyForm(forms.Form):
    """What a key is for, and what it may do."""

    name = forms.CharField(
        max_length=100,
        widget=forms.TextInput({"class": "vTextField"}),
        help_text="What it is for, such as: billing service.",
    )
    role = forms.ChoiceField(
        choices=[(role.value, role.value) for role in Role], initial=Role.OPERATOR
    )
    scopes = forms.MultipleChoiceField(
        required=False,
        choices=[(scope.value, scope.value) for scope in Scope],
        widget=forms.CheckboxSelectMultiple,
        help_text="Fewer than the role holds; none: all of them.",
    )
    expires_in = forms.IntegerField(
        label="Expires after",
        required=False,
        min_value=1,
        max_value=3660,
        initial=90,
        help_text="Days; empty: never.",
    )
    tenant = forms.ModelChoiceField(
        required=False,
        queryset=Tenant.objects.order_by("slug"),
        help_text="It sees and makes this tenant's jobs alone; empty: everyone's.",
    )
    user = forms.ModelChoiceField(
        required=False,
        queryset=get_user_model()._default_manager.filter(is_active=True).order_by("pk"),
        help_text="On whose behalf it acts: it can do no more than they may. Empty: nobody's.",
    )
    per_minute = forms.IntegerField(
        label="Jobs a minute",
        required=False,
        min_value=1,
        max_value=1_000_000_000,
        help_text="How many it may submit; empty: the site's limit.",
    )

    def make(self, actor: str) -> NewKey | None:
        """Make the key, or put what is wrong on the form and return None."""
        told = self.cleaned_data
        days = told["expires_in"]
        try:
            return create_key(
                told["name"],
                role=told["role"],
                actor=actor,
                scopes=told["scopes"],
                expires_in=timedelta(days=days) if days else None,
                tenant=told["tenant"],
                user=told["user"],
                per_minute=told["per_minute"],
            )
        except InvalidAccess as error:
            self.add_error(None, str(error))
        return None


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys are made here and ended here; what one may do never changes."""

    list_display = ("prefix", "name", "role", "holds", "tenant", "user", "state", "used", "ends")
    list_filter = ("role", "tenant")
    search_fields = ("prefix", "name", "user__username")
    search_help_text = "Prefix, name or user"
    ordering = ("-id",)
    list_select_related = ("tenant", "user")
    actions = ("revoke",)
    fields = (
        "prefix", "name", "role", "holds", "tenant", "user", "submissions_per_minute", "state",
        "created_exactly", "created_by", "ends_exactly", "used_exactly",
    )  # fmt: skip
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Those who may make keys."""
        return self.is_for(request) and request.user.has_perm("jobs.add_apikey")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Those who may end them."""
        return self.is_for(request) and request.user.has_perm("jobs.change_apikey")

    @method_decorator(never_cache)
    @method_decorator(sensitive_variables("new"))
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Ask what the key is for; make it, and show it this once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = KeyForm(request.POST if request.method == "POST" else None)
        new = form.make(request.user.get_username()) if form.is_valid() else None
        context = {**self.admin_site.each_context(request), "opts": self.opts}
        if new is not None:
            made = {**context, "title": "Keep this key now", "key": new.key, "secret": new.secret}
            return TemplateResponse(request, "admin/jobs/apikey/made.html", made)
        fieldsets: Any = [
            (None, {"fields": ["name", "role", "expires_in"]}),
            ("Less than that", {"fields": ["scopes", "tenant", "user", "per_minute"]}),
        ]
        asked = {
            **context,
            "title": "Make an API key",
            "adminform": AdminForm(cast(Any, form), fieldsets, {}),
            "errors": form.errors,
            "media": self.media,
        }
        return TemplateResponse(request, "admin/jobs/apikey/make.html", asked)

    @admin.action(description="Revoke selected keys", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """End the keys at once."""
        actor = request.user.get_username()
        done = sum(revoke_key(key, actor=actor) for key in queryset)
        text = f"{done} key{'' if done == 1 else 's'} revoked."
        self.message_user(request, text, messages.SUCCESS if done else messages.INFO)

    @admin.display(description="scopes")
    def holds(self, key: ApiKey) -> str:
        """Return what it may do."""
        return ", ".join(key.scopes) or "all of the role's"

    @admin.display(description="state")
    def state(self, key: ApiKey) -> SafeString:
        """Return whether it may be used."""
        return badge(key.state)

    @admin.display(description="last used", ordering="last_used_at")
    def used(self, key: ApiKey) -> SafeString | str:
        """Return when it was last used."""
        return moment(key.last_used_at)

    @admin.display(description="expires", ordering="expires_at")
    def ends(self, key: ApiKey) -> SafeString | str:
        """Return when it ends."""
        return moment(key.expires_at)

    @admin.display(description="created")
    def created_exactly(self, key: ApiKey) -> SafeString | str:
        """Return when it was made."""
        return full_moment(key.created_at)

    @admin.display(description="expires")
    def ends_exactly(self, key: ApiKey) -> SafeString | str:
        """Return when it ends."""
        return full_moment(key.expires_at)

    @admin.display(description="last used")
    def used_exactly(self, key: ApiKey) -> SafeString | str:
        """Return when it was last used."""
        return full_moment(key.last_used_at)
