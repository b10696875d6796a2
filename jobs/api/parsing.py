"""Reading what requests hold: JSON that can be stored, and no query that nothing reads."""

import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Schema
from ninja.parser import Parser
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError, from_json

from jobs.api.problems import Problem

#: How deep JSON may be nested: more is no data that people wrote.
MAX_DEPTH = 32
#: How many members one array or object may have.
MAX_MEMBERS = 10_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)")
_FIRST = datetime(1970, 1, 2, tzinfo=UTC)
_LAST = datetime(9000, 1, 1, tzinfo=UTC)


def _text(value: Any) -> Any:
    # Otherwise pydantic takes a number for the seconds since 1970.
    if isinstance(value, str) and _RFC_3339.fullmatch(value):
        return value
    raise PydanticCustomError(
        "moment",
        "must be a moment with its time zone, as in 2026-03-01T09:00:00Z or, in a query, "
        "2026-03-01T09:00:00%2B01:00",
    )


def _storable_moment(value: datetime) -> datetime:
    """Return the moment, or the nearest that every database can hold."""
    # In UTC: PostgreSQL knows no zone that is 16 hours or more from it.
    return min(max(value, _FIRST), _LAST).astimezone(UTC)


Count = Annotated[int, Strict()]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
#: ISO 8601 with a time zone.
Moment = Annotated[AwareDatetime, BeforeValidator(_text), AfterValidator(_storable_moment)]


class Body(Schema):
    """What a request's body is checked by: an unknown field is an error, not a surprise."""

    model_config = ConfigDict(extra="forbid")


class Query(Schema):
    """What a request's query is checked by: an unknown name is an error, not a surprise."""

    @model_validator(mode="wrap")
    @classmethod
    def _known_and_clean(cls, data: Any, handler: Any, info: ValidationInfo) -> Any:
        request: HttpRequest = (info.context or {})["request"]
        known = {field.alias or name for name, field in cls.model_fields.items()}
        for name, values in request.GET.lists():
            if name not in known:
                raise PydanticCustomError(
                    "unknown_query",
                    "{name} is unknown here; use: {known}",
                    {"name": repr(name[:40]), "known": ", ".join(sorted(known))},
                )
            if any(_CONTROL.search(value) for value in values):
                raise PydanticCustomError(
                    "control_character", "{name} holds a control character", {"name": name}
                )
        return handler(data)


class StorableJson(Parser):
    """Reads JSON as it can be stored: no NUL, no half a surrogate pair, no NaN, bounded depth."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return what the body says.

        Raises:
            Problem: it is no JSON, or cannot be stored.
        """
        try:
            value = from_json(request.body, allow_inf_nan=False)
        except ValueError as error:
            raise Problem(
                HTTPStatus.BAD_REQUEST, "invalid_json", f"the body is not JSON: {error}"
            ) from None
        _check(value, "", 0)
        return value


def _check(value: Any, path: str, depth: int) -> None:
    """Do nothing if the value can be stored; else say where it cannot."""
    if isinstance(value, str):
        if "\x00" in value:
            raise _unstorable(path, "holds a NUL character, which cannot be stored")
        return
    if not isinstance(value, dict | list):
        return
    if depth >= MAX_DEPTH:
        raise _unstorable(path, f"is nested deeper than {MAX_DEPTH} levels")
    if len(value) > MAX_MEMBERS:
        raise _unstorable(path, f"has {len(value)} members; {MAX_MEMBERS} are allowed")
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for name, member in members:
        if isinstance(name, str) and "\x00" in name:
            raise _unstorable(path, "has a name with a NUL character, which cannot be stored")
        _check(member, f"{path}.{name}" if path else str(name), depth + 1)


def _unstorable(path: str, why: str) -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "unstorable",
        f"{path or 'the body'} {why}",
        wrong=[(path[:200], why)],
    )
