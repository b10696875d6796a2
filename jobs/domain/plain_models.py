"""Models whose fields read the very values that JSON gives back."""

from functools import cache
from typing import Any

from pydantic import BaseModel

_LEAVES = {"any", "bool", "float", "int", "literal", "none", "str"}
_INNER = {
    "default": ("schema",),
    "nullable": ("schema",),
    "list": ("items_schema",),
    "dict": ("keys_schema", "values_schema"),
    "model": ("schema",),
    "model-field": ("schema",),
}


@cache
def is_plain(model: type[BaseModel]) -> bool:
    """Return whether what the model stores is for certain what it reads: no need to try it.

    That is so for fields of JSON's own types, however nested, without validators or serializers.
    False where it cannot be told.
    """
    return _is_plain(model.__pydantic_core_schema__)


def _is_plain(schema: Any) -> bool:
    if not isinstance(schema, dict) or "serialization" in schema or _is_special(schema):
        return False
    kind = schema["type"]
    if kind in _LEAVES:
        return kind != "literal" or all(isinstance(each, str) for each in schema["expected"])
    if kind == "model-fields":
        fields = schema["fields"].values()
        return not schema.get("computed_fields") and all(map(_is_plain, fields))
    if kind == "dict" and schema.get("keys_schema", {}).get("type") != "str":
        return False
    parts = _INNER.get(kind)
    return parts is not None and all(_is_plain(schema[each]) for each in parts if each in schema)


def _is_special(schema: dict[str, Any]) -> bool:
    config = schema.get("config") or {}
    return bool(
        schema.get("custom_init")
        or schema.get("root_model")
        or schema.get("post_init")
        or schema.get("validation_alias")
        or schema.get("serialization_alias")
        or schema.get("serialization_exclude")
        or set(config) - {"title", "extra_fields_behavior", "strict", "frozen"}
        or config.get("extra_fields_behavior") == "allow"
    )
