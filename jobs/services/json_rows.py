"""Many rows as one parameter of a statement: a JSON document that the database takes apart.

The text of the statement is the same for any number of rows, on both databases.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection, models

from jobs.models import Job

_Encode = Callable[[Any], Any]


class JsonRows:
    """Rows of these columns of the jobs table."""

    def __init__(self, names: Sequence[str], vendor: str) -> None:
        self._columns = [(name, Job._meta.get_field(name)) for name in names]
        self._names = tuple(names)
        self._encoders = [_encoder(field, vendor) for _, field in self._columns]
        self._vendor = vendor

    def source(self) -> str:
        """Return what stands behind FROM, named `given`; it has one placeholder."""
        quote = connection.ops.quote_name
        if self._vendor == "postgresql":
            typed = [f"{quote(name)} {field.db_type(connection)}" for name, field in self._columns]
            return f"json_to_recordset(%s::json) AS given({', '.join(typed)})"
        read = [f"json_extract(value, '$.{name}') AS {quote(name)}" for name, _ in self._columns]
        taken_apart = "(SELECT {read} FROM json_each(%s)) AS given"
        return taken_apart.format(read=", ".join(read))

    def document(self, rows: Iterable[Sequence[Any]]) -> str:
        """Return the rows as the placeholder's value; each has its values in the columns' order."""
        names = self._names
        encoders = [(place, each) for place, each in enumerate(self._encoders) if each is not None]
        listed = []
        for row in rows:
            values = list(row)
            for place, encode in encoders:
                if values[place] is not None:
                    values[place] = encode(values[place])
            listed.append(dict(zip(names, values, strict=True)))
        return json.dumps(listed)


@cache
def _rows(names: tuple[str, ...], vendor: str) -> JsonRows:
    return JsonRows(names, vendor)


def json_rows(*names: str) -> JsonRows:
    """Return rows of these columns, for the database in use."""
    return _rows(names, connection.vendor)


def _encoder(field: Any, vendor: str) -> _Encode | None:
    """Return how a value of the column becomes JSON from which the database makes it again."""
    on_postgresql = vendor == "postgresql"
    match field:
        case models.ForeignKey():
            return _encoder(field.target_field, vendor)
        case models.UUIDField():
            return str if on_postgresql else lambda value: value.hex
        case models.DateTimeField():
            return lambda value: str(connection.ops.adapt_datetimefield_value(value))
        case models.DurationField():
            return _interval if on_postgresql else lambda value: value // timedelta(microseconds=1)
        case models.JSONField():
            return None if on_postgresql else json.dumps
        case _:
            return None


def _interval(value: timedelta) -> str:
    return f"{value.days} days {value.seconds} seconds {value.microseconds} microseconds"


def as_uuid(value: UUID | str) -> UUID:
    """Return an id that came through a raw cursor, which SQLite gives as text."""
    return value if isinstance(value, UUID) else UUID(value)
