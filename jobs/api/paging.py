"""Lists by pages: each continues behind the last row of the one before, whatever came since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.core import signing
from django.db.models import Q, QuerySet

from jobs.api.problems import Problem

_SALT = "jobs.api.cursor"


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is sorted.

    Attributes:
        column: the first key; equal ones are told apart by `id`, in the same direction.
        descending: the newest or greatest first.
    """

    column: str
    descending: bool = False

    @property
    def columns(self) -> list[str]:
        """The order for a query."""
        names = ["pk"] if self.column == "pk" else [self.column, "pk"]
        return [f"-{name}" if self.descending else name for name in names]

    @property
    def mark(self) -> str:
        """What a cursor knows the order by."""
        return f"{'-' if self.descending else ''}{self.column}"

    def behind(self, value: Any, pk: Any) -> Q:
        """Return the condition of what comes behind the row with these keys."""
        compare = "lt" if self.descending else "gt"
        if self.column == "pk":
            return Q(**{f"pk__{compare}": pk})
        # The first part alone bounds the index; the second tells equals apart.
        return Q(**{f"{self.column}__{compare}e": value}) & (
            Q(**{f"{self.column}__{compare}": value}) | Q(**{f"pk__{compare}": pk})
        )


#: How many rows a page looks through for what no index finds.
SCANNED = 10_000


def page(
    rows: QuerySet[Any],
    order: Order,
    *,
    limit: int,
    cursor: str | None,
    scanned: Q | None = None,
) -> tuple[Sequence[Any], str | None]:
    """Return a page of the rows, and the cursor of the next one; None if this is the last.

    Args:
        rows: what the list is of, along an index.
        order: how it is sorted.
        limit: at most so many.
        cursor: where the page begins; None: at the first.
        scanned: a condition that no index finds. A page looks through 10,000 rows for what fits:
            it may hold fewer than the limit, or nothing, and not be the last.

    Raises:
        Problem: the cursor is none of this list's.
    """
    if cursor is not None:
        value, pk = _read(cursor, order)
        rows = rows.filter(order.behind(value, pk))
    rows = rows.order_by(*order.columns)
    if scanned is None:
        found = list(rows[: limit + 1])
    else:
        near = rows.select_related(None)[:SCANNED].values("pk")
        found = list(rows.filter(scanned, pk__in=near)[: limit + 1])
    if len(found) > limit:
        return found[:limit], _cursor_at(found[limit - 1], order)
    beyond = rows[SCANNED - 1 : SCANNED].first() if scanned is not None else None
    return found, _cursor_at(beyond, order) if beyond is not None else None


def _cursor_at(row: Any, order: Order) -> str:
    value = None if order.column == "pk" else getattr(row, order.column)
    return _write(order, value, row.pk)


def _write(order: Order, value: Any, pk: Any) -> str:
    told = value.isoformat() if isinstance(value, datetime) else value
    return signing.dumps([order.mark, told, pk if isinstance(pk, int) else str(pk)], salt=_SALT)


def _read(cursor: str, order: Order) -> tuple[Any, Any]:
    try:
        mark, value, pk = signing.loads(cursor, salt=_SALT)
    except (signing.BadSignature, ValueError):
        raise _bad("it is not one that this site gave") from None
    if mark != order.mark:
        raise _bad("it is of a list in another order; begin that list anew")
    moment = isinstance(value, str)
    return (datetime.fromisoformat(value) if moment else value), (
        pk if isinstance(pk, int) else UUID(pk)
    )


def _bad(why: str) -> Problem:
    told = f"the cursor cannot be used: {why}"
    return Problem(HTTPStatus.BAD_REQUEST, "invalid_cursor", told, wrong=[("cursor", why)])
