"""The form of a schedule."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import BaseRenderer
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from jobs.admin.parameters import ParamsField, problems, type_choices
from jobs.domain.cron import check_cron, zone
from jobs.domain.errors import InvalidParameters, JobsError
from jobs.domain.registry import registry
from jobs.models import Schedule
from jobs.services.submission import stored_params

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


class ScheduleForm(_ModelForm):
    """Checks what `jobs.services.scheduling.check_schedule` does, with each error on its field."""

    job_type = forms.ChoiceField()
    params = ParamsField(label="Parameters", required=False)

    class Meta:
        model = Schedule
        fields = ("name", "enabled", "job_type", "params", "cron", "timezone", "priority")
        widgets: ClassVar[dict[str, forms.Widget]] = {"timezone": ZoneInput()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "job_type" in self.fields:  # a user who may only look gets a form without fields
            choices = type_choices(also=self.instance.job_type)
            self.fields["job_type"].choices = choices  # type: ignore[attr-defined]

    def clean_cron(self) -> str:
        """Check the cron expression."""
        return self._checked("cron", check_cron)

    def clean_timezone(self) -> str:
        """Check the time zone."""
        return self._checked("timezone", zone)

    def clean(self) -> dict[str, Any]:
        """Check the parameters against the job type, and fill their defaults in."""
        cleaned = super().clean() or self.cleaned_data
        name, params = cleaned.get("job_type"), cleaned.get("params")
        if name and params is not None:
            try:
                cleaned["params"] = stored_params(registry.get(name), params)
            except InvalidParameters as error:
                self.add_error("params", problems(error))
            except JobsError as error:
                self.add_error("job_type", str(error))
        return cleaned

    def _checked(self, field: str, check: Callable[[str], object]) -> str:
        value = str(self.cleaned_data[field]).strip()
        try:
            check(value)
        except JobsError as error:
            raise ValidationError(str(error)) from None
        return value
