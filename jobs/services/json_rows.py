"""Many rows as one parameter of a statement: a JSON document that the database takes apart.

The text of the statement is the same for any number of rows, on both databases.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection, models
from pydantic_core import to_json

from jobs.models import Job

_Encode = Callable[[Any], str]
_MICROSECOND = timedelta(microseconds=1)


class JsonRows:
    """Rows of these columns of the jobs table."""

    def __init__(self, names: Sequence[str], vendor: str) -> None:
        self._columns = [(name, Job._meta.get_field(name)) for name in names]
        self._template = "{%s}" % ",".join(f'"{name}":%s' for name in names)  # noqa: UP031
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
        encoders = self._encoders
        written = [
            self._template
            % tuple(
                "null" if value is None else encode(value)
                for encode, value in zip(encoders, row, strict=True)
            )
            for row in rows
        ]
        return f"[{','.join(written)}]"


@cache
def _rows(names: tuple[str, ...], vendor: str) -> JsonRows:
    return JsonRows(names, vendor)


def json_rows(*names: str) -> JsonRows:
    """Return rows of these columns, for the database in use."""
    return _rows(names, connection.vendor)


def _encode(value: Any) -> str:
    return to_json(value).decode()


def _encoder(field: Any, vendor: str) -> _Encode:
    """Return how a value of the column is written as JSON, so that the database reads it again."""
    on_postgresql = vendor == "postgresql"
    match field:
        case models.ForeignKey():
            return _encoder(field.target_field, vendor)
        case models.UUIDField():
            return (lambda value: f'"{value}"') if on_postgresql else (lambda v: f'"{v.hex}"')
        case models.DateTimeField():
            # PostgreSQL reads any; SQLite compares text, so all of it must be of one form.
            return (lambda value: f'"{value}"') if on_postgresql else _sqlite_moment
        case models.DurationField():
            return _interval if on_postgresql else lambda value: str(value // _MICROSECOND)
        case models.JSONField():
            # SQLite keeps it as text.
            return _encode if on_postgresql else lambda value: _encode(_encode(value))
        case _:
            return _encode


def _sqlite_moment(value: datetime) -> str:
    return f'"{connection.ops.adapt_datetimefield_value(value)}"'


def _interval(value: timedelta) -> str:
    return f'"{value.days} days {value.seconds} seconds {value.microseconds} microseconds"'


def as_uuid(value: UUID | str) -> UUID:
    """Return an id that came through a raw cursor, which SQLite gives as text."""
    return value if isinstance(value, UUID) else UUID(value)
