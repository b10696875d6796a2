"""The form of a schedule."""

from collections.abc import Callable
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import BaseRenderer
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from jobs.admin.parameters import AsksForParameters
from jobs.domain.cron import check_cron, zone
from jobs.domain.errors import JobsError
from jobs.domain.schedules import LONGEST_JITTER
from jobs.domain.sensitive import kept
from jobs.models import Schedule
from jobs.services.schedules import check_name

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Schedule]
else:
    _ModelForm = forms.ModelForm


@cache
def _zones() -> tuple[str, ...]:
    places = (name for name in available_timezones() if "/" in name and "Etc/" not in name)
    return ("UTC", *sorted(places))


class ZoneInput(forms.TextInput):
    """A time zone's name, completed from those there are as one types."""

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: BaseRenderer | None = None,
    ) -> SafeString:
        """Return the input and its list."""
        known = f"{name}-known"
        field = super().render(name, value, {**(attrs or {}), "list": known}, renderer)
        options = format_html_join("", '<option value="{}"></option>', ((z,) for z in _zones()))
        return format_html('{}<datalist id="{}">{}</datalist>', field, known, options)


class ScheduleForm(AsksForParameters, _ModelForm):
    """Checks what `jobs.services.schedules.check_schedule` does, with each error on its field."""

    class Meta:
        model = Schedule
        fields = (
            "name", "enabled", "cron", "timezone", "priority", "overlap", "missed", "starts_at",
            "ends_at", "jitter_seconds",
        )  # fmt: skip
        widgets: ClassVar[dict[str, forms.Widget]] = {"timezone": ZoneInput()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._type_before = self.instance.job_type
        for name in ("overlap", "missed", "jitter_seconds"):  # each has a default
            if name in self.fields:
                self.fields[name].required = False

    def clean_name(self) -> str:
        """Check that no other schedule of the tenant's has the name."""
        self.instance.name = self.cleaned_data["name"]
        try:
            check_name(self.instance)
        except JobsError as error:
            raise ValidationError(str(error)) from None
        return str(self.cleaned_data["name"])

    def clean_cron(self) -> str:
        """Check the cron expression."""
        return self._checked("cron", check_cron)

    def clean_timezone(self) -> str:
        """Check the time zone."""
        return self._checked("timezone", zone)

    def clean_jitter_seconds(self) -> int:
        """Take nothing for none."""
        return self.cleaned_data["jitter_seconds"] or 0

    def clean(self) -> dict[str, Any]:
        """Check the parameters, and give them to the schedule with their job type."""
        cleaned = super().clean()
        begin, end = cleaned.get("starts_at"), cleaned.get("ends_at")
        if begin is not None and end is not None and begin >= end:
            self.add_error("ends_at", "This is not after its begin: it would never run.")
        if (cleaned.get("jitter_seconds") or 0) > LONGEST_JITTER.total_seconds():
            self.add_error("jitter_seconds", "More than a day (86400) cannot be put off.")
        self.instance.job_type = self.type_name
        # What is sealed is shown as such, and stays unless something else is written there.
        given = cleaned.get("params", self.instance.params)
        self.instance.params = kept(given, self.instance.params)
        return cleaned

    @cached_property
    def changed_data(self) -> list[str]:
        """The names of what was changed, the job type with them."""
        another = ["job_type"] if self.instance.job_type != self._type_before else []
        return another + super().changed_data

    def _checked(self, field: str, check: Callable[[str], object]) -> str:
        value = str(self.cleaned_data[field]).strip()
        try:
            check(value)
        except JobsError as error:
            raise ValidationError(str(error)) from None
        return value
