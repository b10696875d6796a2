"""Parameters that nobody may read: marked in the model, sealed where they are stored."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeVar, get_args

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic_core import CoreSchema

_T = TypeVar("_T")
#: The one name of an object that stands for a sealed value.
SEALED: Final = "$sealed"
#: What people are shown instead.
SHOWN: Final = "[sealed]"


class _Mark:
    """What marks a field, and tells of it in the model's JSON Schema."""

    @staticmethod
    def __get_pydantic_json_schema__(
        schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "writeOnly": True}


MARK: Final = _Mark()
#: `token: Sensitive[str]`: encrypted in the database, and shown to nobody.
Sensitive = Annotated[_T, MARK]


def holds_sensitive(model: type[BaseModel]) -> bool:
    """Return whether a field of the model, or of a model in it, is marked."""
    return _holds(model, set())


def _holds(kind: Any, seen: set[Any]) -> bool:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if kind in seen:
            return False
        seen.add(kind)
        fields = kind.model_fields.values()
        return any(
            any(isinstance(each, _Mark) for each in field.metadata)
            or _holds(field.annotation, seen)
            for field in fields
        )
    inner = get_args(kind)
    return any(isinstance(each, _Mark) or _holds(each, seen) for each in inner)


def sealed(params: BaseModel, stored: dict[str, Any], seal: Callable[[Any], str]) -> dict[str, Any]:
    """Return what is stored of the parameters, with each marked value sealed.

    Args:
        params: the model's instance.
        stored: the same as plain data, by the fields' names.
        seal: returns the text that a plain value becomes.
    """
    told = dict(stored)
    for name, field in type(params).model_fields.items():
        if name not in told or told[name] is None:
            continue
        if any(isinstance(each, _Mark) for each in field.metadata):
            told[name] = {SEALED: seal(told[name])}
        else:
            told[name] = _inside(getattr(params, name), told[name], seal)
    return told


def _inside(value: Any, stored: Any, seal: Callable[[Any], str]) -> Any:
    if isinstance(value, BaseModel) and isinstance(stored, dict):
        return sealed(value, stored, seal)
    if isinstance(value, list | tuple) and isinstance(stored, list):
        return [_inside(each, told, seal) for each, told in zip(value, stored, strict=True)]
    if isinstance(value, Mapping) and isinstance(stored, dict):
        inner = dict(zip(stored, value.values(), strict=True))
        return {name: _inside(inner[name], told, seal) for name, told in stored.items()}
    return stored


def opened(stored: Any, unseal: Callable[[str], Any]) -> Any:
    """Return plain data with each sealed value opened.

    Args:
        stored: as it is in the database.
        unseal: returns the plain value of a text.
    """
    if isinstance(stored, list):
        return [opened(each, unseal) for each in stored]
    if not isinstance(stored, dict):
        return stored
    if stored.keys() == {SEALED}:
        return unseal(stored[SEALED])
    return {name: opened(each, unseal) for name, each in stored.items()}


def shown(stored: Any) -> Any:
    """Return plain data with a word in the place of each sealed value."""
    return opened(stored, lambda _: SHOWN)


def names_seal(given: Any) -> bool:
    """Return whether something that came from outside would pass for a sealed value."""
    if isinstance(given, list | tuple):
        return any(map(names_seal, given))
    if isinstance(given, Mapping):
        return SEALED in given or any(map(names_seal, given.values()))
    return False


def kept(given: Any, before: Any) -> Any:
    """Return what was given, with what was sealed before wherever it still says so.

    Args:
        given: what people left of what they were shown.
        before: what is stored.
    """
    if isinstance(before, dict) and before.keys() == {SEALED}:
        return before if given == SHOWN else given
    if isinstance(given, dict) and isinstance(before, dict):
        return {name: kept(value, before.get(name)) for name, value in given.items()}
    if isinstance(given, list) and isinstance(before, list) and len(given) == len(before):
        return [kept(value, old) for value, old in zip(given, before, strict=True)]
    return given
