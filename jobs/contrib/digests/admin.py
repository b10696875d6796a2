"""Digests and their subscriptions in the admin."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from jobs.contrib.digests.models import Digest, DigestSubscription
from jobs.contrib.digests.rendering import LABELS, sanitised


@admin.register(Digest)
class DigestAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Digests are read here, never written."""

    list_display = ("title", "repository", "period", "figures_in_short", "source", "created_at")
    list_filter = ("source", "created_at", "repository")
    search_fields = ("repository", "title")
    date_hierarchy = "end"
    ordering = ("-created_at",)
    list_per_page = 50
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("page",)}),
        ("Figures", {"fields": ("figures",)}),
        (
            "Origin",
            {"fields": ("repository", "source", "period", "job_link", "created_at")},
        ),
        ("As Markdown", {"fields": ("markdown_text",), "classes": ("collapse",)}),
    )
    readonly_fields = (
        "page", "figures", "repository", "source", "period", "job_link", "created_at",
        "markdown_text",
    )  # fmt: skip

    class Media:
        css: ClassVar[dict[str, tuple[str, ...]]] = {"all": ("digests/digest.css",)}

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """Only jobs make digests."""
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Digest | None = None) -> bool:
        """A digest says what was; it is not edited."""
        return False

    @admin.display(description="period", ordering="start")
    def period(self, digest: Digest) -> str:
        """Return the period in the site's time zone."""
        return f"{digest.start:%Y-%m-%d %H:%M} to {digest.end:%Y-%m-%d %H:%M} UTC"

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

    @admin.display(description="counts")
    def figures(self, digest: Digest) -> SafeString:
        """Return the counts as a table, each with the command that confirms it."""
        data = digest.data
        rows = [
            {
                "label": label,
                "count": data["counts"][name],
                "before": data["before"].get(name),
                "delta": data["deltas"].get(name),
                "command": data.get("commands", {}).get(name, ""),
            }
            for name, label in LABELS.items()
            if name in data["counts"]
        ]
        return render_to_string("digests/figures.html", {"rows": rows})

    @admin.display(description="job")
    def job_link(self, digest: Digest) -> str:
        """Return a link to the job that made it."""
        job = digest.job
        if job is None:
            return "none"
        if not self.admin_site.is_registered(type(job)):
            return str(job)
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:jobs_job_change", args=[job.pk]), job
        )

    @admin.display(description="markdown")
    def markdown_text(self, digest: Digest) -> SafeString:
        """Return the Markdown, to be copied."""
        return format_html('<pre class="digest-markdown">{}</pre>', digest.markdown)


@admin.register(DigestSubscription)
class DigestSubscriptionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who is told about which repository's digests."""

    list_display = (
        "repository", "channel", "recipient", "enabled", "why_disabled", "owner", "created_at",
    )  # fmt: skip
    readonly_fields = ("why_disabled",)
    list_filter = ("enabled", "channel")
    list_editable = ("enabled",)
    search_fields = ("repository", "recipient")
    ordering = ("repository", "channel", "recipient")
    autocomplete_fields = ("owner",)
    list_select_related = ("owner",)

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
