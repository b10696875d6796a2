"""Form fields whose text is JSON."""

import json
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput

from jobs.admin.display import pretty_json

_SHORT: Final = 60


class JsonField(forms.JSONField):
    """Any JSON value, shown indented unless it is short; None if it is left empty."""

    widget = forms.Textarea(
        attrs={"rows": 3, "cols": 80, "class": "job-params", "spellcheck": "false"}
    )
    empty_values = (None, "")  # an empty list or object is a value

    def prepare_value(self, value: Any) -> Any:
        """Return the value as text; what was typed wrong stays as it was typed."""
        if value is None or isinstance(value, InvalidJSONInput):
            return value
        line = json.dumps(value, ensure_ascii=False)
        return line if len(line) <= _SHORT else pretty_json(value)

    def to_python(self, value: Any) -> Any:
        """Return the value.

        Raises:
            ValidationError: the text is not JSON; the message says where.
        """
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return json.loads(value)
        except json.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            raise ValidationError(f"This is not JSON: {error.msg} at {where}.") from None
        except (ValueError, RecursionError) as error:
            raise ValidationError(f"This JSON cannot be read: {error}.") from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return what was typed, as it was typed."""
        return InvalidJSONInput(data or "")

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Return whether the value is another one."""
        try:
            return bool(initial != self.to_python(data))
        except ValidationError:
            return True


class JsonObjectField(JsonField):
    """A JSON object."""

    def to_python(self, value: Any) -> Any:
        """Return the object; an empty one if the field is left empty.

        Raises:
            ValidationError: the text is not a JSON object.
        """
        read = super().to_python(value)
        if read is None:
            return {}
        if not isinstance(read, dict):
            raise ValidationError(
                'The parameters must be a JSON object, such as {"name": "value"}.'
            )
        return read
