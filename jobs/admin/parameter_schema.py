"""Reads the JSON Schema of a job type's parameters, as far as a form needs it."""

from typing import Any, Final

from pydantic import BaseModel
from pydantic.errors import PydanticUserError

#: Of one field: without references, and with its null as `nullable`.
Schema = dict[str, Any]
_KINDS: Final = {"type", "enum", "const", "anyOf", "oneOf", "allOf"}


def schema_of(model: type[BaseModel]) -> Schema:
    """Return the model's schema by field name; empty if it has a type without a schema."""
    try:
        schema = model.model_json_schema(by_alias=False)
    except PydanticUserError:
        return {}
    return resolved(schema, schema)


def fields_of(schema: Schema) -> dict[str, Schema] | None:
    """Return each field's schema; None if there is more to the model than its fields."""
    if schema.get("type") != "object" or schema.get("additionalProperties"):
        return None
    return {name: resolved(told, schema) for name, told in schema.get("properties", {}).items()}


def resolved(told: Schema, whole: Schema) -> Schema:
    """Return a part of the schema without references, and with its null as `nullable`."""
    if reference := told.get("$ref"):
        return resolved(
            whole["$defs"][reference.rpartition("/")[2]] | _besides("$ref", told), whole
        )
    kinds = [kind for kind in told.get("anyOf", ()) if kind != {"type": "null"}]
    nullable = len(kinds) < len(told.get("anyOf", ())) or None in told.get("enum", ())
    if len(kinds) == 1:
        told = resolved(kinds[0], whole) | _besides("anyOf", told)
    return told | {"nullable": nullable or not _KINDS & told.keys()}


def values_of(told: Schema) -> list[Any]:
    """Return the values that a field is chosen from, but for null; empty if it is not chosen."""
    if told.get("type") == "boolean" and told["nullable"]:
        return [True, False]
    values = [told["const"]] if "const" in told else told.get("enum", [])
    return [value for value in values if value is not None]


def in_words(told: Schema) -> str:
    """Return what JSON is expected, in a few words."""
    match told:
        case {"type": "array", "items": {"type": str(kind)}}:
            return f"a list, each of type {kind}"
        case {"type": "array"}:
            return "a list"
        case {"type": "object", "properties": dict(fields)} if fields:
            return f"an object with {', '.join(_named(*each) for each in fields.items())}"
        case {"type": "object"}:
            return "an object"
    return "any value"


def _named(name: str, told: Schema) -> str:
    return f"{name} ({told['type']})" if isinstance(told.get("type"), str) else name


def _besides(key: str, told: Schema) -> Schema:
    return {name: value for name, value in told.items() if name != key}
