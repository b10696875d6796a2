"""Workers' profiles: what workers of a name do, changed while they run."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.safestring import SafeString

from jobs.admin.display import badge
from jobs.admin.read_only import ListAdmin
from jobs.domain.registry import registry
from jobs.models import Worker, WorkerProfile
from jobs.services.audit import record

if TYPE_CHECKING:
    _Form = ModelForm[WorkerProfile]
else:
    _Form = ModelForm
#: What the form of a new profile proposes.
_CONCURRENCY, _SHUTDOWN_SECONDS = 5, 30


class WorkerProfileForm(_Form):
    """A profile, with its job types chosen from those that are registered."""

    job_types = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: all. Its workers never run a job of another type.",
    )

    class Meta:
        model = WorkerProfile
        fields = (
            "name", "enabled", "draining", "job_types", "concurrency", "graceful_shutdown_seconds",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [each.name for each in registry]
        gone = [name for name in self.instance.job_types if name not in registry]
        self.fields["job_types"].choices = [  # type: ignore[attr-defined] # a field of choices
            *((name, name) for name in known),
            *((name, f"{name} (no longer registered)") for name in gone),
        ]


@admin.register(WorkerProfile)
class WorkerProfileAdmin(ListAdmin):
    """Its workers read it every two seconds."""

    form = WorkerProfileForm
    list_display = ("name", "state", "types", "slots", "shutdown", "workers")
    sortable_by = ()
    ordering = ("name",)
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("name", "enabled", "draining")}),
        ("What", {"fields": ("job_types",)}),
        ("How", {"fields": ("concurrency", "graceful_shutdown_seconds")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkerProfile]:
        """Return the profiles, with how many workers that have not left obey each."""
        obedient = Worker.objects.filter(profile=OuterRef("name"), stopped_at=None).order_by()
        counted = obedient.values("profile").annotate(count=Count("pk")).values("count")
        workers = Coalesce(Subquery(counted, output_field=IntegerField()), 0)
        profiles: QuerySet[WorkerProfile] = super().get_queryset(request)
        return profiles.annotate(workers=workers)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return what a new profile's form proposes."""
        proposed = {
            "concurrency": _CONCURRENCY,
            "graceful_shutdown_seconds": _SHUTDOWN_SECONDS,
        }
        return {**proposed, **super().get_changeform_initial_data(request)}

    def save_model(
        self, request: HttpRequest, obj: WorkerProfile, form: "_Form", change: bool
    ) -> None:
        """Store the profile, and say who did."""
        obj.save()
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        self._record(request, "profile.change" if change else "profile.create", obj, **changed)

    def delete_model(self, request: HttpRequest, obj: WorkerProfile) -> None:
        """Delete the profile, and say who did; its workers go on as they were started."""
        self._record(request, "profile.delete", obj)
        obj.delete()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[WorkerProfile]) -> None:
        """Delete the profiles, and say who did."""
        with transaction.atomic():
            for profile in queryset:
                self.delete_model(request, profile)

    def _record(
        self, request: HttpRequest, action: str, target: WorkerProfile, **details: Any
    ) -> None:
        record(
            actor=request.user.get_username(),
            action=action,
            target_type="workerprofile",
            target_id=target.pk,
            **{"name": target.name, **details},
        )

    @admin.display(description="state")
    def state(self, profile: WorkerProfile) -> SafeString:
        """Return whether its workers take jobs."""
        if profile.draining:
            return badge("draining")
        return badge("enabled" if profile.enabled else "disabled")

    @admin.display(description="job types")
    def types(self, profile: WorkerProfile) -> str:
        """Return which jobs they take."""
        return ", ".join(profile.job_types) or "all"

    @admin.display(description="concurrency")
    def slots(self, profile: WorkerProfile) -> str:
        """Return how many jobs one of them runs at once."""
        return "as started" if profile.concurrency is None else str(profile.concurrency)

    @admin.display(description="graceful shutdown")
    def shutdown(self, profile: WorkerProfile) -> str:
        """Return how long running jobs get when one of them stops."""
        seconds = profile.graceful_shutdown_seconds
        return "the site's" if seconds is None else f"{seconds} s"

    @admin.display(description="workers")
    def workers(self, profile: Any) -> str:
        """Return how many workers obey it now."""
        return str(profile.workers)
