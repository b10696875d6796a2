"""Digests and their subscriptions in the admin."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from jobs import public, public_admin
from jobs.contrib.digests.models import Digest, DigestSubscription
from jobs.contrib.digests.rendering import LABELS, sanitised

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[DigestSubscription]
else:
    _ModelForm = forms.ModelForm


@admin.register(Digest)
class DigestAdmin(public_admin.ReadOnlyAdmin):
    """Digests are read here, never written."""

    tenant_column = "tenant"
    list_display = ("title", "repository_and_source", "period", "figures_in_short", "created")
    list_filter = ("source", public_admin.PeriodFilter, "repository")
    search_fields = ("repository", "title")
    search_help_text = "Repository or title"
    ordering = ("-created_at",)
    sortable_by = ("title", "repository_and_source", "period", "created")
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("page",)}),
        (
            "Origin",
            {"fields": ("repository", "source", "whole_period", "job_link", "created_exactly")},
        ),
        ("Commands that confirm the figures", {"fields": ("commands",), "classes": ("collapse",)}),
        ("As Markdown", {"fields": ("markdown_text",), "classes": ("collapse",)}),
    )
    readonly_fields = (
        "page", "commands", "repository", "source", "whole_period", "job_link", "created_exactly",
        "markdown_text",
    )  # fmt: skip

    class Media:
        css: ClassVar[dict[str, tuple[str, ...]]] = {"all": ("digests/digest.css",)}

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A digest can be deleted: nothing depends on it."""
        return request.user.has_perm("digests.delete_digest")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave the commands out of a digest that has none, such as one made from GitHub."""
        has_commands = obj is not None and obj.data.get("commands")
        return [
            (name, options)
            for name, options in self.fieldsets
            if has_commands or "commands" not in options["fields"]
        ]

    @admin.display(description="repository", ordering="repository")
    def repository_and_source(self, digest: Digest) -> SafeString:
        """Return the repository, and below it what the facts were read from."""
        source = digest.get_source_display()
        return format_html('{}<div class="job-exact">{}</div>', digest.repository, source)

    @admin.display(description="period", ordering="start")
    def period(self, digest: Digest) -> SafeString:
        """Return the days of the period."""
        return public_admin.period(digest.start, digest.end)

    @admin.display(description="period")
    def whole_period(self, digest: Digest) -> SafeString:
        """Return the period to the second."""
        start, end = public_admin.exact(digest.start), public_admin.exact(digest.end)
        return format_html("{} to {}", start, end)

    @admin.display(description="created", ordering="created_at")
    def created(self, digest: Digest) -> SafeString | str:
        """Return when it was made."""
        return public_admin.moment(digest.created_at)

    @admin.display(description="created")
    def created_exactly(self, digest: Digest) -> SafeString | str:
        """Return when it was made, to the second."""
        return public_admin.full_moment(digest.created_at)

    @admin.display(description="counts")
    def figures_in_short(self, digest: Digest) -> str:
        """Return the two or three counts that say most."""
        counts = digest.data.get("counts", {})
        names = ("merged_pulls", "commits", "contributors")
        return ", ".join(f"{counts[name]} {LABELS[name]}" for name in names if name in counts)

    @admin.display(description="digest")
    def page(self, digest: Digest) -> SafeString:
        """Return the digest as it is read."""
        # Sanitised again: what is in the database need not have come through our renderer.
        html = mark_safe(sanitised(digest.html))  # noqa: S308
        return format_html('<div class="digest-page">{}</div>', html)

    @admin.display(description="commands")
    def commands(self, digest: Digest) -> SafeString:
        """Return each count with the command that confirms it, to be run in the repository."""
        counts, commands = digest.data["counts"], digest.data.get("commands", {})
        rows = [
            {"label": label, "count": counts[name], "command": commands[name]}
            for name, label in LABELS.items()
            if name in counts and name in commands
        ]
        return render_to_string("digests/figures.html", {"rows": rows})

    @admin.display(description="job")
    def job_link(self, digest: Digest) -> SafeString | str:
        """Return a link to the job that made it, while there is one."""
        if digest.job_id is None:
            return "—"
        return public_admin.link_to_job(self.admin_site, digest.job_id)

    @admin.display(description="markdown")
    def markdown_text(self, digest: Digest) -> SafeString:
        """Return the Markdown, to be copied."""
        return format_html('<pre class="digest-markdown">{}</pre>', digest.markdown)


class DigestSubscriptionForm(_ModelForm):
    """Checks the channel and the recipient as the notification of a digest will."""

    #: Of whoever fills it in: what they make is their tenant's.
    tenant = ""

    def clean(self) -> dict[str, Any]:
        """Put what is wrong with the notification on the field that it comes from."""
        cleaned = super().clean() or self.cleaned_data
        if self.instance._state.adding:
            self.instance.tenant = self.tenant
        if cleaned.keys() >= {"channel", "recipient"}:
            params = {"template": "digest", "channel": cleaned["channel"]}
            self._check(params | {"to": cleaned["recipient"]})
        return cleaned

    def _get_validation_exclusions(self) -> Any:
        """Check that there is no second one of the tenant's, although no field asks for it."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded - {"tenant"}

    def _check(self, params: dict[str, Any]) -> None:
        try:
            public.check_parameters("notifications.send", params)
        except public.InvalidParameters as error:
            for path, message in error.problems:
                self.add_error("channel" if path == "channel" else "recipient", message)
        except public.UnknownJobType:
            return  # a site without notifications can still collect addresses


@admin.register(DigestSubscription)
class DigestSubscriptionAdmin(public_admin.ListAdmin):
    """Who is told about which repository's digests."""

    form = DigestSubscriptionForm
    tenant_column = "tenant"
    exclude = ("tenant",)
    list_display = (
        "repository", "channel", "recipient_and_reason", "enabled", "owner", "created",
    )  # fmt: skip
    readonly_fields = ("why_disabled",)
    list_filter = ("enabled", "channel")
    list_editable = ("enabled",)
    search_fields = ("repository", "recipient")
    ordering = ("repository", "channel", "recipient")
    autocomplete_fields = ("owner",)
    list_select_related = ("owner",)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Return the form, which knows whose what it makes is."""
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"tenant": public_admin.tenant_of(request)})

    @admin.display(description="recipient", ordering="recipient")
    def recipient_and_reason(self, subscription: DigestSubscription) -> SafeString:
        """Return the recipient, and below it why Jobsite disabled the subscription."""
        reason = self.why_disabled(subscription)
        shown = format_html('<div class="job-error-line">{}</div>', reason) if reason else ""
        return format_html("{}{}", subscription.recipient, shown)

    @admin.display(description="created", ordering="created_at")
    def created(self, subscription: DigestSubscription) -> SafeString | str:
        """Return when it was made."""
        return public_admin.moment(subscription.created_at)

    @admin.display(description="why disabled", empty_value="")
    def why_disabled(self, subscription: DigestSubscription) -> str:
        """Return why Jobsite disabled it, while it is disabled."""
        return "" if subscription.enabled else subscription.disabled_reason

    def save_model(
        self, request: HttpRequest, obj: DigestSubscription, form: Any, change: bool
    ) -> None:
        """Forget the reason of a subscription that someone enables again."""
        if obj.enabled:
            obj.disabled_reason = ""
        super().save_model(request, obj, form, change)
