"""Tables for people, fitted to the room that there is."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

#: Between two columns.
_GAP = 2


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column of a table.

    Attributes:
        heading: what stands above it.
        text: the least width of a column of free text, which takes the room that is left; 0 for
            any other column, which is never cut.
        folds: whether text that is longer goes on in the next line; else it is cut.
        spare: where there is no room for all columns, those with a number are left out, the lowest
            first.
    """

    heading: str
    text: int = 0
    folds: bool = True
    spare: int = 0


@dataclass(frozen=True, slots=True)
class FittedTable:
    """A table of a certain width.

    Attributes:
        table: what to print.
        left_out: the headings of the columns for which there is no room.
    """

    table: Table
    left_out: tuple[str, ...]


def fitted(columns: Sequence[Column], rows: Sequence[Sequence[object]], width: int) -> FittedTable:
    """Return the table in at most so many characters a line, if that can be done.

    Cells are plain text, or rich's markup. A column of text with nothing in it is dropped.
    """
    cells = [[Text.from_markup(str(cell)) for cell in row] for row in rows]
    natural, shown = {}, []
    for place, column in enumerate(columns):
        widest = max((row[place].cell_len for row in cells), default=0)
        natural[column] = max(widest, len(column.heading))
        if widest or not column.text:
            shown.append(column)
    left_out = _left_out(shown, natural, width)
    shown = [column for column in shown if column not in left_out]
    widths = natural | _shares(shown, natural, width)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold dim")
    for column in shown:
        table.add_column(
            column.heading,
            width=widths[column],
            no_wrap=not (column.text and column.folds),
            overflow="fold" if column.folds else "ellipsis",
        )
    places = [place for place, column in enumerate(columns) if column in shown]
    for row in cells:
        table.add_row(*[row[place] for place in places])
    return FittedTable(table, tuple(column.heading for column in left_out))


def _left_out(shown: list[Column], natural: dict[Column, int], width: int) -> list[Column]:
    """Return the columns for which there is no room, in the order of leaving them out."""
    least = {each: min(natural[each], each.text) if each.text else natural[each] for each in shown}
    spare = sorted((each for each in shown if each.spare), key=lambda each: each.spare)
    left_out: list[Column] = []
    while spare and sum(least.values()) + _GAP * len(least) > width:
        left_out.append(spare.pop(0))
        del least[left_out[-1]]
    return left_out


def _shares(shown: list[Column], natural: dict[Column, int], width: int) -> dict[Column, int]:
    """Return the width of each column of text: none takes more than it needs."""
    texts = sorted((each for each in shown if each.text), key=lambda each: natural[each])
    room = width - _GAP * len(shown) - sum(natural[each] for each in shown if not each.text)
    shares = {}
    for place, column in enumerate(texts):
        shares[column] = max(1, min(natural[column], room // (len(texts) - place)))
        room -= shares[column]
    return shares
