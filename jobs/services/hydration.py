"""Jobs made of rows of one shape, as Django makes them of any, in a tenth of the time."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from django.db import connection
from django.db.models.base import ModelState
from django.db.models.expressions import Col
from django.db.models.fields.json import JSONField
from pydantic_core import from_json

from jobs.models import Job

_Convert = Callable[[Any], Any]


class Hydrator:
    """Makes jobs of rows with these columns; each other field is read when it is asked for."""

    def __init__(self, names: Sequence[str]) -> None:
        fields: list[Any] = [Job._meta.get_field(name) for name in names]
        quote = connection.ops.quote_name
        #: For SQL, in the rows' order.
        self.columns = ", ".join(quote(field.column) for field in fields)
        self._names = tuple(field.attname for field in fields)
        converters = [(place, _converter(field)) for place, field in enumerate(fields)]
        self._converters = [(place, each) for place, each in converters if each is not None]

    def job(self, row: Sequence[Any], same: Mapping[str, Any]) -> Job:
        """Return the job of a row.

        Args:
            row: as a cursor gives it.
            same: the values of other fields, by their attributes' names.
        """
        values = list(row)
        for place, convert in self._converters:
            if values[place] is not None:
                values[place] = convert(values[place])
        job = Job.__new__(Job)
        job.__dict__.update(zip(self._names, values, strict=True))
        job.__dict__.update(same)
        job._state = state = ModelState()
        state.adding, state.db = False, connection.alias
        return job


@cache
def _hydrator(names: tuple[str, ...], _vendor: str) -> Hydrator:
    return Hydrator(names)


def hydrator(*names: str) -> Hydrator:
    """Return what makes jobs of rows with these columns, on the database in use."""
    return _hydrator(names, connection.vendor)


def _converter(field: Any) -> _Convert | None:
    """Return what the field's value in a cursor's row has to go through, as Django's own would."""
    if isinstance(field, JSONField) and field.decoder is None:
        return from_json
    column = Col(Job._meta.db_table, field)
    steps = [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]
    if not steps:
        return None

    def convert(value: Any) -> Any:
        for step in steps:
            value = step(value, column, connection)
        return value

    return convert
