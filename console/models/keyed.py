"""`KeyedModel`: a live table over plain sorted lists. Lines are found, changed and kept by key."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic
from uuid import UUID

from PySide6.QtCore import QModelIndex, QObject, Qt, Signal

from console.models.table import NO_PARENT, C, Index, TableModel, alignment_of
from console.roles import CellRole

# Beyond this, telling Qt of each single line costs more than telling it to look again.
RESET_ABOVE = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One prepared line. `sort` has one comparable value per column, all of one type per column;
    `haystack` is lower-case text that the filter looks into; `weight` counts towards the total.
    """

    key: UUID
    sort: tuple[Any, ...]
    haystack: str
    weight: int


# By sort value, then key. Nothing compares the lines: no two have the same key, and a place is
# looked for by the first two alone, which come just before the three.
Entry = tuple[Any, int, Line]
Place = tuple[Any, int]


class KeyedModel(TableModel[C], Generic[C]):
    """Sorts and filters by itself: no proxy, which costs seconds on large tables.

    `cells` says what a role shows of a line in a column; whoever derives from it adds to them.
    These are look-ups that cannot fail: an error here would come once per cell and paint.

    `batch_begins(keys that will leave)` and `batch_ended` enclose every change that may move lines,
    so that a view can keep its place.
    """

    batch_begins = Signal(object)
    batch_ended = Signal()

    def __init__(self, columns: Sequence[C], parent: QObject | None = None) -> None:
        super().__init__(columns, parent)
        self.cells: dict[int, Callable[[Any, C], Any]] = {
            Qt.ItemDataRole.TextAlignmentRole: lambda _, column: alignment_of(column),
            CellRole.KEY: lambda line, _: line.key,
        }
        self._lines: dict[UUID, Line] = {}
        self._order: list[Entry] = []  # every line
        self._shown: list[Entry] = []  # those that the filter lets through, in the same order
        self._needles: tuple[str, ...] = ()
        self._filter = ""
        self._column = 0
        self._descending = False
        self._total = 0

    # --- what views ask ---

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        cell = self.cells.get(role)
        key = self.key_at(index.row()) if cell is not None and index.isValid() else None
        line = None if key is None else self._lines.get(key)
        return None if cell is None or line is None else cell(line, self.columns[index.column()])

    def key_at(self, row: int) -> UUID | None:
        """The key of a shown row, or None when there is no such row."""
        if not 0 <= row < len(self._shown):
            return None
        return self._shown[self._at(row)][2].key

    def row_of(self, key: UUID) -> int | None:
        """Where a line is shown, or None when it is not there or filtered out."""
        line = self._lines.get(key)
        if line is None or not self._matches(line):
            return None
        return self._at(bisect_left(self._shown, self._place(line)))

    def line(self, key: UUID) -> Line | None:
        """The prepared line, whether it is shown or not."""
        return self._lines.get(key)

    @property
    def count(self) -> int:
        """How many lines there are, shown or not."""
        return len(self._lines)

    @property
    def total(self) -> int:
        """The sum of the weights of what is shown."""
        return self._total

    @property
    def filter_text(self) -> str:
        return self._filter

    @property
    def sorting(self) -> tuple[int, bool]:
        """The column sorted by, and whether the largest comes first."""
        return self._column, self._descending

    # --- changes ---

    def apply_lines(self, changed: Sequence[Line], removed: Collection[UUID]) -> None:
        """Put lines in or in place of others of the same key, and take lines out."""
        gone = {key for key in removed if key in self._lines}
        if not changed and not gone:
            return
        self.batch_begins.emit(gone)
        if len(changed) + len(gone) > RESET_ABOVE:
            self._reset({**_without(self._lines, gone), **{line.key: line for line in changed}})
        else:
            for key in gone:
                self._take(key)
            for line in changed:
                self._put(line)
        self.batch_ended.emit()

    def set_filter(self, text: str) -> None:
        """Show only lines that contain every word of `text`."""
        needles = tuple(text.casefold().split())
        narrower = text.startswith(self._filter)
        self._filter = text
        if needles == self._needles:
            return
        self._needles = needles
        candidates = self._shown if narrower else self._order
        self.batch_begins.emit(frozenset())
        self.beginResetModel()
        self._shown = self._filtered(candidates)
        self._total = sum(line.weight for _, _, line in self._shown)
        self.endResetModel()
        self.batch_ended.emit()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Qt's own entry point; the lines stay the same, only their places change."""
        if not 0 <= column < len(self.columns):
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        keys = [self.key_at(index.row()) for index in before]
        self._column = column
        self._descending = order == Qt.SortOrder.DescendingOrder
        self._order = sorted(map(self._entry, self._lines.values()))
        self._shown = self._filtered(self._order)
        after = [self._index_of(key, old.column()) for key, old in zip(keys, before, strict=True)]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    # --- inside ---

    def _index_of(self, key: UUID | None, column: int) -> QModelIndex:
        row = None if key is None else self.row_of(key)
        return QModelIndex() if row is None else self.index(row, column)

    def _at(self, place: int) -> int:
        """From a place in `_shown` to a row and back: the list is kept ascending."""
        return len(self._shown) - 1 - place if self._descending else place

    def _entry(self, line: Line) -> Entry:
        return (line.sort[self._column], line.key.int, line)

    def _place(self, line: Line) -> Place:
        return (line.sort[self._column], line.key.int)

    def _matches(self, line: Line) -> bool:
        return all(needle in line.haystack for needle in self._needles)

    def _filtered(self, entries: Sequence[Entry]) -> list[Entry]:
        """Word by word: the first one leaves little for the others."""
        found = list(entries)
        for needle in self._needles:
            found = [entry for entry in found if needle in entry[2].haystack]
        return found

    def _reset(self, lines: dict[UUID, Line]) -> None:
        self.beginResetModel()
        self._lines = lines
        self._order = sorted(map(self._entry, lines.values()))
        self._shown = self._filtered(self._order)
        self._total = sum(line.weight for _, _, line in self._shown)
        self.endResetModel()

    def _put(self, line: Line) -> None:
        old = self._lines.get(line.key)
        if old is None:
            self._insert(line)
        elif self._matches(old) != self._matches(line):
            self._take(line.key)
            self._insert(line)
        elif self._matches(line):
            self._move(old, line)
        else:
            self._lines[line.key] = line
            _reorder(self._order, self._place(old), self._entry(line))

    def _insert(self, line: Line) -> None:
        entry, wanted = self._entry(line), self._place(line)
        self._order.insert(bisect_left(self._order, wanted), entry)
        if not self._matches(line):
            self._lines[line.key] = line
            return
        place = bisect_left(self._shown, wanted)
        row = len(self._shown) - place if self._descending else place
        self.beginInsertRows(QModelIndex(), row, row)
        self._lines[line.key] = line
        self._shown.insert(place, entry)
        self._total += line.weight
        self.endInsertRows()

    def _take(self, key: UUID) -> None:
        line = self._lines[key]
        wanted = self._place(line)
        del self._order[bisect_left(self._order, wanted)]
        if not self._matches(line):
            del self._lines[key]
            return
        place = bisect_left(self._shown, wanted)
        row = self._at(place)
        self.beginRemoveRows(QModelIndex(), row, row)
        del self._shown[place]
        del self._lines[key]
        self._total -= line.weight
        self.endRemoveRows()

    def _move(self, old: Line, line: Line) -> None:
        """A line that stays shown: at its place if its sort value allows, else moved."""
        before, after = self._place(old), self._place(line)
        source = bisect_left(self._shown, before)
        target = bisect_left(self._shown, after) - (after > before)
        row, new_row = self._at(source), self._at(target)
        if row != new_row:
            # Qt wants the row before which the line goes, counted with the line still in place.
            before_row = new_row + 1 if new_row > row else new_row
            self.beginMoveRows(QModelIndex(), row, row, QModelIndex(), before_row)
        self._lines[line.key] = line
        _reorder(self._order, before, self._entry(line))
        _reorder(self._shown, before, self._entry(line))
        self._total += line.weight - old.weight
        if row != new_row:
            self.endMoveRows()
        self.touch_row(new_row)

    def touch_row(self, row: int) -> None:
        """Tell views that the words of a row may have changed."""
        self.dataChanged.emit(self.index(row, 0), self.index(row, len(self.columns) - 1))


def _reorder(entries: list[Entry], before: Place, entry: Entry) -> None:
    """Put the entry in place of the one that was at `before`."""
    del entries[bisect_left(entries, before)]
    entries.insert(bisect_left(entries, entry[:2]), entry)


def _without(lines: dict[UUID, Line], gone: Collection[UUID]) -> dict[UUID, Line]:
    return {key: line for key, line in lines.items() if key not in gone}
