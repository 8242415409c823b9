"""A table over records of one kind: each column is a title and a function from record to cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar
from uuid import UUID

from PySide6.QtCore import QObject, Qt

from console.models.keyed import Index, KeyedModel, Line
from console.roles import CellRole

T = TypeVar("T")

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


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


@dataclass(frozen=True, slots=True)
class RecordColumn(Generic[T]):
    """`width` is in pixels; the one column with 0 takes what is left."""

    title: str
    cell: Callable[[T], Cell]
    width: int = 0
    right: bool = False


@dataclass(frozen=True, slots=True)
class RecordLine(Line):
    record: Any
    cells: tuple[Cell, ...]
    dimmed: bool


class RecordModel(KeyedModel, Generic[T]):
    """Records by key. `dimmed` tells which are as good as gone."""

    def __init__(
        self,
        columns: Sequence[RecordColumn[T]],
        *,
        key: Callable[[T], UUID],
        dimmed: Callable[[T], bool] = lambda _: False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(len(columns), parent)
        self.titles = tuple(columns)
        self._key = key
        self._is_dimmed = dimmed
        self._values: Mapping[int, Callable[[RecordLine, int], Any]] = MappingProxyType(
            {
                int(Qt.ItemDataRole.DisplayRole): lambda line, n: line.cells[n].text,
                int(Qt.ItemDataRole.ToolTipRole): lambda line, n: line.cells[n].text,
                int(Qt.ItemDataRole.AccessibleTextRole): self._spoken,
                int(Qt.ItemDataRole.TextAlignmentRole): lambda _, n: self._alignment(n),
                int(CellRole.KEY): lambda line, _: line.key,
                int(CellRole.SORT): lambda line, n: line.sort[n],
                int(CellRole.VALUE): lambda line, _: line.record,
                int(CellRole.ICON): lambda line, n: line.cells[n].icon or None,
                int(CellRole.TONE): lambda line, n: line.cells[n].tone or None,
                int(CellRole.DIMMED): lambda line, _: line.dimmed,
            }
        )

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

    # --- Qt ---

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        key = self.key_at(index.row()) if index.isValid() else None
        line = None if key is None else self._lines.get(key)
        value = self._values.get(role)
        if value is None or not isinstance(line, RecordLine):
            return None
        return value(line, index.column())

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self.titles):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.titles[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(section)
        return None

    # --- inside ---

    def _line(self, record: T) -> RecordLine:
        cells = tuple(column.cell(record) for column in self.titles)
        return RecordLine(
            key=self._key(record),
            sort=tuple(cell.order for cell in cells),
            haystack=" ".join(cell.text for cell in cells).casefold(),
            weight=0,
            record=record,
            cells=cells,
            dimmed=self._is_dimmed(record),
        )

    def _alignment(self, column: int) -> Qt.AlignmentFlag:
        return _RIGHT if self.titles[column].right else _LEFT

    def _spoken(self, line: RecordLine, column: int) -> str:
        return f"{self.titles[column].title}: {line.cells[column].text or 'none'}"
