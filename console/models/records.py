"""A table over records of one kind: each column is a title and a function from record to cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from PySide6.QtCore import QObject, Qt

from console.models.keyed import KeyedModel, Line
from console.roles import CellRole

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cell:
    """Words, perhaps with a drawing and a token's colour. `sort` None sorts by the words."""

    text: str
    sort: Any = None
    icon: str = ""
    tone: str = ""

    @property
    def order(self) -> Any:
        """Comparable with the same column's cells of other records."""
        return self.text.casefold() if self.sort is None else self.sort


@dataclass(frozen=True, slots=True, eq=False)
class RecordColumn(Generic[T]):
    """`width` is in pixels; the one column with 0 takes what is left."""

    title: str
    cell: Callable[[T], Cell]
    width: int = 0
    right: bool = False


@dataclass(frozen=True, slots=True)
class RecordLine(Line):
    record: Any
    cells: Mapping[RecordColumn[Any], Cell]
    dimmed: bool


class RecordModel(KeyedModel[RecordColumn[T]], Generic[T]):
    """Records by key. `dimmed` tells which are as good as gone."""

    def __init__(
        self,
        columns: Sequence[RecordColumn[T]],
        *,
        key: Callable[[T], UUID],
        dimmed: Callable[[T], bool] = lambda _: False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(columns, parent)
        self._key = key
        self._is_dimmed = dimmed
        self.cells |= {
            Qt.ItemDataRole.DisplayRole: lambda line, column: line.cells[column].text,
            Qt.ItemDataRole.ToolTipRole: lambda line, column: line.cells[column].text,
            Qt.ItemDataRole.AccessibleTextRole: _spoken,
            CellRole.SORT: lambda line, column: line.cells[column].order,
            CellRole.VALUE: lambda line, _: line.record,
            CellRole.ICON: lambda line, column: line.cells[column].icon or None,
            CellRole.TONE: lambda line, column: line.cells[column].tone or None,
            CellRole.DIMMED: lambda line, _: line.dimmed,
        }

    def show(self, records: Iterable[T]) -> None:
        """These records and no others; lines that stay keep their place and selection."""
        lines = [self._line(record) for record in records]
        held = {line.key for line in lines}
        changed = [line for line in lines if self._lines.get(line.key) != line]
        self.apply_lines(changed, [key for key in self._lines if key not in held])

    def put(self, record: T) -> None:
        """This one in place of what has its key, or beside the others."""
        self.apply_lines([self._line(record)], ())

    def record(self, key: UUID | None) -> T | None:
        """The record of a line, shown or not."""
        line = self._lines.get(key) if key is not None else None
        if not isinstance(line, RecordLine):
            return None
        record: T = line.record
        return record

    @property
    def records(self) -> tuple[T, ...]:
        """All of them, in the order of their keys."""
        lines = sorted(self._lines.values(), key=lambda line: line.key.int)
        return tuple(line.record for line in lines if isinstance(line, RecordLine))

    # --- inside ---

    def _line(self, record: T) -> RecordLine:
        cells = {column: column.cell(record) for column in self.columns}
        return RecordLine(
            key=self._key(record),
            sort=tuple(cell.order for cell in cells.values()),
            haystack=" ".join(cell.text for cell in cells.values()).casefold(),
            weight=0,
            record=record,
            cells=cells,
            dimmed=self._is_dimmed(record),
        )


def _spoken(line: RecordLine, column: RecordColumn[Any]) -> str:
    return f"{column.title}: {line.cells[column].text or 'none'}"
