"""The fields of a form that ask for a job type's parameters, made of its pydantic model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django import forms
from django.forms.utils import pretty_name
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from jobs.admin.json_fields import JsonField
from jobs.admin.parameter_schema import Schema, fields_of, in_words, schema_of, values_of

_LINE: Final = {"class": "vTextField"}
_LINES: Final = {"class": "vLargeTextField", "rows": 5}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One field of the model, as a form asks for it.

    Attributes:
        field: gives the value, or None if it is left empty.
        alias: the name by which the model tells of its problems.
        empty_is_none: whether an empty field says None; else it leaves the value to the model.
    """

    field: forms.Field
    alias: str
    empty_is_none: bool


class TextField(forms.CharField):
    """A text as it was typed, with line breaks as Python writes them."""

    def to_python(self, value: Any) -> Any:
        """Return the text."""
        return super().to_python(value.replace("\r\n", "\n") if value else value)


def parameters_of(
    model: type[BaseModel], stored: Mapping[str, Any] | None = None
) -> dict[str, Parameter] | None:
    """Return what a form asks for, by the names of the model's fields.

    A text, a number, a truth value, a choice, a date and a moment get an input of their kind.
    Whatever is nested, a list or a union is written as JSON.

    Args:
        model: the parameters' model.
        stored: values by field name, filled in instead of the model's defaults.

    Returns:
        None if there is more to the model than its fields.
    """
    schema = schema_of(model)
    fields = fields_of(schema)
    if fields is None:
        return None
    for name in fields.keys() & (stored or {}).keys():
        fields[name]["default"] = (stored or {})[name]
    required = schema.get("required", ())
    return {
        name: _parameter(name, told, model.model_fields.get(name), required=name in required)
        for name, told in fields.items()
    }


def _parameter(name: str, told: Schema, info: FieldInfo | None, *, required: bool) -> Parameter:
    nullable, default = told["nullable"], told.get("default")
    kind = told.get("type"), told.get("format")
    make = _choice if values_of(told) else _INPUTS.get(kind, _other)
    field = make(told)
    field.required = required and not nullable and not isinstance(field, forms.BooleanField)
    field.label = (info and info.title) or pretty_name(name)
    # Not the schema's description, which may be the docstring of a nested model.
    field.help_text = _help((info and info.description) or "", str(field.help_text))
    if field.initial is None:
        field.initial = default
    alias = info.validation_alias if info else None
    return Parameter(
        field=field,
        alias=alias if isinstance(alias, str) else name,
        empty_is_none=nullable and (required or "default" in told),
    )


def _help(*parts: str) -> SafeString:
    """Return the parts as markup: Django's templates take a help text for safe."""
    return format_html_join(" ", "{}", ((part,) for part in parts if part))


def _choice(told: Schema) -> forms.Field:
    values = {str(value): value for value in values_of(told)}
    words = {"True": "yes", "False": "no"} if told.get("type") == "boolean" else {}
    choices = [(text, words.get(text, text)) for text in values]
    default = told.get("default")
    if default is None or told["nullable"]:
        choices.insert(0, ("", "—"))
    return forms.TypedChoiceField(
        choices=choices,
        coerce=values.__getitem__,
        empty_value=None,
        initial=None if default is None else str(default),
    )


def _switch(_told: Schema) -> forms.Field:
    return forms.BooleanField()


def _whole_number(told: Schema) -> forms.Field:
    return forms.IntegerField(min_value=told.get("minimum"), max_value=told.get("maximum"))


def _number(told: Schema) -> forms.Field:
    return forms.FloatField(min_value=told.get("minimum"), max_value=told.get("maximum"))


def _text(told: Schema) -> forms.Field:
    lines = "\n" in str(told.get("default"))  # which a one-line input would swallow
    widget = forms.Textarea(_LINES) if lines else forms.TextInput(_LINE)
    return TextField(
        strip=False,
        widget=widget,
        max_length=told.get("maxLength"),
        empty_value=None if told["nullable"] else "",
    )


def _password(_told: Schema) -> forms.Field:
    widget = forms.PasswordInput({**_LINE, "autocomplete": "off"})
    return TextField(strip=False, widget=widget, empty_value=None)


def _date(told: Schema) -> forms.Field:
    widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(widget=widget, initial=_read(parse_date, told))


def _moment(told: Schema) -> forms.Field:
    attributes = {"type": "datetime-local", "step": 1}
    return forms.DateTimeField(
        widget=forms.DateTimeInput(attributes, format="%Y-%m-%dT%H:%M:%S"),
        initial=_read(parse_datetime, told),
        help_text=f"In {timezone.get_current_timezone_name()}.",
    )


def _read(parse: Callable[[str], date | None], told: Schema) -> date | None:
    """Return the default, if it can be read: a stored one may be from before the model changed."""
    try:
        return parse(str(told.get("default")))
    except ValueError:
        return None


def _other(told: Schema) -> forms.Field:
    if told.get("type") != "string":
        return JsonField(help_text=f"JSON: {in_words(told)}.")
    return TextField(
        widget=forms.TextInput(_LINE),
        empty_value=None,
        help_text=f"Format: {told.get('format')}.",
    )


_INPUTS: Final[dict[tuple[Any, Any], Callable[[Schema], forms.Field]]] = {
    ("boolean", None): _switch,
    ("integer", None): _whole_number,
    ("number", None): _number,
    ("string", None): _text,
    ("string", "password"): _password,
    ("string", "date"): _date,
    ("string", "date-time"): _moment,
}
