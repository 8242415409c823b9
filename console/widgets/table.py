"""`LiveTable`: a table whose selection and place stay put while its rows come and go."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any
from uuid import UUID

from PySide6.QtCore import QItemSelectionModel, QRect, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableView,
    QWidget,
)

from console.models.keyed import KeyedModel
from console.models.table import Index
from console.theme import Theme
from console.widgets.cells import CellDelegate


class SortHeader(QHeaderView):
    """Column titles; the one sorted by has an arrow beside its words."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self.setFont(theme.font())
        self.setHighlightSections(False)
        self.setSectionsClickable(True)
        self.setSortIndicatorShown(True)
        self.setMinimumSectionSize(48)
        self.setFixedHeight(theme.tokens.size.control)

    def paintSection(self, painter: QPainter, rect: QRect, section: int, /) -> None:
        painter.save()
        super().paintSection(painter, rect, section)
        painter.restore()
        if section == self.sortIndicatorSection():
            self._paint_arrow(painter, rect, section)

    def _paint_arrow(self, painter: QPainter, rect: QRect, section: int) -> None:
        model = self.model()
        title = str(model.headerData(section, Qt.Orientation.Horizontal) or "")
        down = self.sortIndicatorOrder() is Qt.SortOrder.DescendingOrder
        arrow = "↓" if down else "↑"
        width = self.fontMetrics().horizontalAdvance(title)
        alignment = model.headerData(
            section, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole
        )
        on_right = bool(Qt.AlignmentFlag(alignment) & Qt.AlignmentFlag.AlignRight)
        x = rect.right() - 12 - width - 16 if on_right else rect.left() + 12 + width + 5
        painter.save()
        painter.setFont(self.font())
        painter.setPen(self._theme.colour("accent"))
        painter.drawText(x, rect.top(), 14, rect.height(), Qt.AlignmentFlag.AlignVCenter, arrow)
        painter.restore()


def set_manners(table: QTableView, theme: Theme) -> None:
    """How every table of rows looks and behaves: one row selected, no lines, pixels to scroll."""
    table.setShowGrid(False)
    table.setMouseTracking(True)
    table.setTabKeyNavigation(False)
    table.setWordWrap(False)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    rows = table.verticalHeader()
    rows.setVisible(False)
    rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    rows.setMinimumSectionSize(theme.tokens.size.row)
    rows.setDefaultSectionSize(theme.tokens.size.row)


def set_widths(
    table: QTableView,
    widths: Sequence[int],
    *,
    mode: QHeaderView.ResizeMode = QHeaderView.ResizeMode.Fixed,
) -> None:
    """`widths` of the columns in pixels; those with 0 share what is left, `mode` is of the others.

    The table needs its header and its model before.
    """
    header = table.horizontalHeader()
    for column, width in enumerate(widths):
        header.setSectionResizeMode(column, mode if width else QHeaderView.ResizeMode.Stretch)
        if width:
            table.setColumnWidth(column, width)


class RowTable(QTableView):
    """What every table of rows does alike: nothing is current until a person chooses it, some keys
    lead elsewhere than Qt's own, and letters are shortcuts.

    A table says in `_tell` that the current row is another one, in `_row_for` to which row a key
    leads (None: as Qt has it), and in `_select_row` how that row becomes the current one.
    """

    def __init__(self) -> None:
        super().__init__()
        self._quiet = False

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        if not self._quiet:
            self._tell()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Qt makes the first row current when a table without one gets the focus; we do not."""
        had_current = self.currentIndex().isValid()
        self._quiet = True
        super().focusInEvent(event)
        if not had_current:
            self.selectionModel().clear()
        self._quiet = False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self._row_for(event)
        if row is None:
            super().keyPressEvent(event)
        else:
            self._select_row(row)

    def keyboardSearch(self, search: str) -> None:
        """Letters are shortcuts here; Qt would look for a row that begins with them."""

    def _tell(self) -> None:
        raise NotImplementedError  # abc and Qt's classes do not go together

    def _row_for(self, event: QKeyEvent) -> int | None:
        raise NotImplementedError  # as above

    def _select_row(self, row: int) -> object:
        raise NotImplementedError  # as above


class LiveTable(RowTable):
    """Rows by key. When the current row leaves, nothing is selected: a key pressed in that moment
    must never act on another row. The arrow keys go on from where it was.
    """

    painted = Signal()
    current_changed = Signal(object)
    """The key of the current row (UUID), or None."""

    def __init__(self, theme: Theme, model: KeyedModel[Any], *, name: str) -> None:
        super().__init__()
        self._keyed = model
        self._anchors: list[tuple[UUID, int]] = []
        self._current: UUID | None = None
        self._resume_row: int | None = None
        self._told: UUID | None = None
        self.setAccessibleName(name)
        self.setHorizontalHeader(SortHeader(theme, self))
        self.setModel(model)
        self.setItemDelegate(CellDelegate(theme, self))
        set_manners(self, theme)
        model.batch_begins.connect(self._remember)
        model.batch_ended.connect(self._restore)
        theme.changed.connect(self._repaint)

    # --- what others ask and do ---

    @property
    def current_key(self) -> UUID | None:
        """The key of the current row."""
        index = self.currentIndex()
        return self._keyed.key_at(index.row()) if index.isValid() else None

    def select_key(self, key: UUID) -> bool:
        """Make this row the current one and bring it into view. False when it is not shown."""
        row = self._keyed.row_of(key)
        return row is not None and self._select_row(row)

    def select_next(self, *, skip: Set[UUID] = frozenset()) -> None:
        """Go to the nearest row that is not in `skip`: first downwards, then upwards."""
        start = self.currentIndex().row()
        if start < 0:
            start = (self._resume_row or 0) - 1
        below = range(start + 1, self._keyed.rowCount())
        for row in (*below, *range(start - 1, -1, -1)):
            if self._keyed.key_at(row) not in skip:
                self._select_row(row)
                return

    def enter(self) -> None:
        """From the filter into the rows."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if self.current_key is None:
            self.select_next()

    def clear_current(self) -> None:
        """No row is current any more."""
        self.selectionModel().clear()
        self._tell()

    def visible_keys(self) -> list[UUID]:
        """The rows that are at least partly in view, from the top."""
        top, bottom = self.rowAt(0), self.rowAt(self.viewport().height() - 1)
        if top < 0:
            return []
        last = bottom if bottom >= 0 else self._keyed.rowCount() - 1
        keys = (self._keyed.key_at(row) for row in range(top, last + 1))
        return [key for key in keys if key is not None]

    # --- Qt ---

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self.painted.emit()

    def _row_for(self, event: QKeyEvent) -> int | None:
        """The row that a key leads to where Qt's own answer is not ours."""
        last = self._keyed.rowCount() - 1
        if last < 0:
            return None
        key, row = event.key(), self.currentIndex().row()
        if key == Qt.Key.Key_Home:
            return 0
        if key == Qt.Key.Key_End:
            return last
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_J: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_K: -1}.get(
            Qt.Key(key)
        )
        if step is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return None
        if row < 0:  # the row that was current left: its neighbours moved into its place
            place = self._resume_row or 0
            row = place - 1 if step > 0 else place
        return min(max(row + step, 0), last)

    # --- keeping the place ---

    def _select_row(self, row: int) -> bool:
        index = self._keyed.index(row, 0)
        flags = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self.scrollTo(index)
        return True

    def _remember(self, leaving: Set[UUID]) -> None:
        self._quiet = True
        self._current = self.current_key
        self._anchors = [
            (key, self.rowViewportPosition(row))
            for key in self.visible_keys()
            if (row := self._keyed.row_of(key)) is not None
        ]
        if self._current is not None:
            self._resume_row = self.currentIndex().row()
        if self._current in leaving:
            # Qt would make a neighbour current, and the next key would decide about that one.
            self.selectionModel().clear()
            self._current = None

    def _restore(self) -> None:
        self.executeDelayedItemsLayout()
        self.updateGeometries()
        self._restore_current()
        self._quiet = False
        if self.verticalScrollBar().value() or self._current is not None:
            self._restore_place()
        self._tell()

    def _restore_current(self) -> None:
        key = self._current
        if key is None or key == self.current_key:
            return
        row = self._keyed.row_of(key)
        if row is None:  # filtered out
            self.selectionModel().clear()
            return
        flags = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(
            self._keyed.index(row, 0), flags.ClearAndSelect | flags.Rows
        )

    def _restore_place(self) -> None:
        for key, was in self._anchors:
            row = self._keyed.row_of(key)
            if row is not None:
                bar = self.verticalScrollBar()
                bar.setValue(bar.value() + self.rowViewportPosition(row) - was)
                return

    def _tell(self) -> None:
        key = self.current_key
        if key != self._told:
            self._told = key
            self.current_changed.emit(key)

    def _repaint(self) -> None:
        self.viewport().update()
        self.horizontalHeader().viewport().update()
