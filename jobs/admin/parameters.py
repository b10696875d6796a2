"""What a form tells of the job types and their parameters, and how it reads them."""

import json
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema

from jobs.admin.display import pretty_json
from jobs.domain.errors import InvalidParameters
from jobs.domain.job_types import JobType
from jobs.domain.registry import registry

_EMPTY = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One field of a job type's parameters."""

    name: str
    kind: str
    required: bool
    default: str
    description: str


@dataclass(frozen=True, slots=True)
class TypeHelp:
    """A job type, as the forms explain it."""

    name: str
    description: str
    parameters: list[Parameter]


class ParamsField(forms.JSONField):
    """The parameters of a job: a JSON object, shown indented."""

    widget = forms.Textarea(
        attrs={"rows": 10, "cols": 80, "class": "job-params", "spellcheck": "false"}
    )

    def prepare_value(self, value: Any) -> Any:
        """Return the parameters as text; what was typed wrong stays as it was typed."""
        return value if isinstance(value, str) else pretty_json(value or {})

    def to_python(self, value: Any) -> Any:
        """Return the parameters.

        Raises:
            ValidationError: the text is not a JSON object; the message says where.
        """
        if isinstance(value, dict):
            return value
        try:
            read = json.loads(value or "{}")
        except json.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            raise ValidationError(f"This is not JSON: {error.msg} at {where}.") from None
        except (ValueError, RecursionError) as error:
            raise ValidationError(f"This JSON cannot be read: {error}.") from None
        if not isinstance(read, dict):
            raise ValidationError(
                'The parameters must be a JSON object, such as {"name": "value"}.'
            )
        return read

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return what was typed, as it was typed."""
        return data

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Return whether the object is another one."""
        try:
            return bool((initial or {}) != self.to_python(data))
        except ValidationError:
            return True


def type_choices(*, also: str = "") -> list[tuple[str, str]]:
    """Return the registered types for a select, and one that may be registered no longer."""
    choices = [
        (each.name, f"{each.name} — {each.description}" if each.description else each.name)
        for each in registry
    ]
    if also and also not in registry:
        choices.insert(0, (also, f"{also} — no longer registered"))
    return [("", "Choose a job type"), *choices]


def types_help() -> list[TypeHelp]:
    """Return every registered type with its parameters."""
    return [TypeHelp(each.name, each.description, parameters(each)) for each in registry]


def parameters(job_type: JobType) -> list[Parameter]:
    """Return the fields of the type's parameters, from the model's JSON Schema."""
    schema = _schema(job_type.params_model)
    required = schema.get("required", ())
    return [
        Parameter(
            name=name,
            kind=_kind(field, schema.get("$defs", {})),
            required=name in required,
            default=json.dumps(field["default"], ensure_ascii=False) if "default" in field else "",
            description=field.get("description", ""),
        )
        for name, field in schema.get("properties", {}).items()
    ]


def skeleton(name: str) -> dict[str, Any]:
    """Return the fields that the type requires, empty, to be filled in."""
    if name not in registry:
        return {}
    schema = _schema(registry.get(name).params_model)
    fields = schema.get("properties", {})
    return {each: _EMPTY.get(fields[each].get("type", "")) for each in schema.get("required", ())}


def problems(error: InvalidParameters) -> list[str]:
    """Return one message for each wrong parameter, with its path first."""
    return [f"{path}: {message}" if path else message for path, message in error.problems]


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    try:
        return model.model_json_schema()
    except PydanticInvalidForJsonSchema:
        return {}  # a field that JSON Schema cannot tell of: the model still checks it


def _kind(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return _kind(definitions.get(name, {}), definitions)
    if "enum" in field:
        return "one of " + ", ".join(json.dumps(each) for each in field["enum"])
    if "const" in field:
        return json.dumps(field["const"])
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_kind(each, definitions) for each in field["anyOf"]))
    kind = str(field.get("type", "anything"))
    if kind == "array" and "items" in field:
        return f"list of {_kind(field['items'], definitions)}"
    if kind == "object" and "properties" in field:
        return f"object with {', '.join(field['properties'])}"
    return f"{kind} ({field['format']})" if "format" in field else kind
