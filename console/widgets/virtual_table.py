"""`VirtualTable`: a table over more rows than are held; it tells which of them are looked at."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent

from console.theme import Theme
from console.widgets.cells import CellDelegate
from console.widgets.table import RowTable, SortHeader, set_manners

_Index = QModelIndex | QPersistentModelIndex


class VirtualTable(RowTable):
    """The order is the model's. Rows that come in above move neither the selection nor, further
    down, what is looked at: whoever brings them asks `is_at_top` first.
    """

    current_changed = Signal()
    looked_at = Signal()
    """Other rows are in view, or the table has another size; `visible_rows` says which."""

    def __init__(self, theme: Theme, *, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        header = SortHeader(theme, self)
        header.setSortIndicatorShown(False)
        header.setSectionsClickable(False)
        self.setHorizontalHeader(header)
        self.setItemDelegate(CellDelegate(theme, self))
        set_manners(self, theme)
        self.verticalScrollBar().valueChanged.connect(lambda _value: self.looked_at.emit())
        theme.changed.connect(self._repaint)

    @property
    def current_row(self) -> int | None:
        index = self.currentIndex()
        return index.row() if index.isValid() else None

    @property
    def is_at_top(self) -> bool:
        return self.verticalScrollBar().value() == 0

    @property
    def visible_rows(self) -> tuple[int, int] | None:
        """First and last row at least partly in view; None where there are none."""
        count = self.model().rowCount()
        first = self.rowAt(0)
        if count == 0 or first < 0:
            return None
        last = self.rowAt(self.viewport().height() - 1)
        return first, count - 1 if last < 0 else last

    def select_row(self, row: int) -> None:
        """Make this row the current one and bring it into view."""
        index = self.model().index(row, 0)
        flags = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self.scrollTo(index)

    def clear_current(self) -> None:
        self.selectionModel().clear()
        self.current_changed.emit()

    # --- Qt ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.looked_at.emit()

    def _tell(self) -> None:
        self.current_changed.emit()

    def _select_row(self, row: int) -> None:
        self.select_row(row)

    def _row_for(self, event: QKeyEvent) -> int | None:
        last = self.model().rowCount() - 1
        if last < 0 or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return None
        key = Qt.Key(event.key())
        if key in {Qt.Key.Key_Home, Qt.Key.Key_End}:
            return 0 if key is Qt.Key.Key_Home else last
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_J: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_K: -1}.get(key)
        if step is None:
            return None
        row = self.current_row
        if row is None:
            seen = self.visible_rows
            return seen[0] if seen else 0
        return min(max(row + step, 0), last)

    def _repaint(self) -> None:
        self.viewport().update()
        self.horizontalHeader().viewport().update()
