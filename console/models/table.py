"""`TableModel`: what every table has alike, the heads of its columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

Index = QModelIndex | QPersistentModelIndex
# The default argument that Qt gives these methods; never changed.
NO_PARENT = QModelIndex()


class Heading(Protocol):
    """A column: its title, and whether head and cells stand at the right, as numbers do."""

    @property
    def title(self) -> str: ...
    @property
    def right(self) -> bool: ...


C = TypeVar("C", bound=Heading)


class TableModel(QAbstractTableModel, Generic[C]):
    """Knows its columns; whoever derives from it knows the rows."""

    def __init__(self, columns: Sequence[C], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)

    def columnCount(self, parent: Index = NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment_of(self.columns[section])
        return None

    def touch_column(self, column: int) -> None:
        """Tell views that the words of a whole column may have changed."""
        rows = self.rowCount()
        if rows:
            self.dataChanged.emit(self.index(0, column), self.index(rows - 1, column))


_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


def alignment_of(column: Heading) -> Qt.AlignmentFlag:
    """Where words stand in this column."""
    return _RIGHT if column.right else _LEFT
