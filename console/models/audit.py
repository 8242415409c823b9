"""The audit trail as Qt sees it: as many lines as entries match, of which a few pages are held."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from types import MappingProxyType
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, Qt

from console.models.table import NO_PARENT, Index, TableModel, alignment_of
from console.roles import CellRole
from console.views.audit_words import EntryWords, read_entry
from console.words import whole
from core.domain.references import show_reference
from core.protocol.messages import AUDIT_PAGE_ROWS, AuditEntry, AuditOutline

PAGES_HELD = 40


class Column(IntEnum):
    TIME = 0
    WHO = 1
    WHAT = 2
    ABOUT = 3
    REFERENCE = 4
    AMOUNT = 5
    ENTRY = 6

    @property
    def title(self) -> str:
        return self.name.capitalize()

    @property
    def right(self) -> bool:
        return self in {Column.AMOUNT, Column.ENTRY}


_QUIET = frozenset({Column.TIME, Column.REFERENCE, Column.ENTRY})


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One entry, prepared; `texts` are the words of each column."""

    entry: AuditEntry
    words: EntryWords
    texts: tuple[str, ...]


class AuditModel(TableModel[Column]):
    """Newest first. Above are entries that came in since it was opened, below them the pages.

    A page that is not held shows as dots until it is brought: `missing` says which to fetch next.
    """

    def __init__(self, clock: Callable[[], datetime], parent: QObject | None = None) -> None:
        super().__init__(tuple(Column), parent)
        self._clock = clock
        self._live: list[AuditLine] = []  # the newest is the last
        self._pages: OrderedDict[int, tuple[AuditLine, ...]] = OrderedDict()
        self._starts: list[int] = []
        self._size = 0
        self._paged = 0
        self._dense = True
        self.next_before: int | None = None
        self._values: Mapping[int, Callable[[AuditLine, Column], Any]] = MappingProxyType(
            {
                int(Qt.ItemDataRole.DisplayRole): lambda line, column: line.texts[column],
                int(Qt.ItemDataRole.ToolTipRole): _tooltip,
                int(Qt.ItemDataRole.AccessibleTextRole): _spoken,
                int(CellRole.VALUE): lambda line, _: line.entry,
                int(CellRole.ICON): _icon,
                int(CellRole.ICON_TONE): _icon_tone,
                int(CellRole.TONE): _tone,
            }
        )

    # --- Qt ---

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._live) + self._paged

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        column = Column(index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment_of(column)
        line = self._line(index.row())
        if line is None:
            return self._unloaded(index.row(), column, role)
        value = self._values.get(role)
        return None if value is None else value(line, column)

    # --- what is there ---

    @property
    def is_all(self) -> bool:
        """Whether every matching entry has its line; False: there are older ones."""
        return self.next_before is None

    @property
    def live(self) -> int:
        """How many lines came in since it was opened."""
        return len(self._live)

    @property
    def pages_held(self) -> tuple[int, ...]:
        return tuple(sorted(self._pages))

    def entry_at(self, row: int) -> AuditEntry | None:
        """The entry of a row, None while its page is not held."""
        line = self._line(row)
        return None if line is None else line.entry

    def missing(self, first: int, last: int) -> int | None:
        """The first page not held that these rows need."""
        begin = max(first - len(self._live), 0)
        end = min(last - len(self._live), self._paged - 1)
        if end < 0:
            return None
        pages = range(begin // AUDIT_PAGE_ROWS, end // AUDIT_PAGE_ROWS + 1)
        return next((page for page in pages if page not in self._pages), None)

    def before(self, page: int) -> int:
        """The index below which the entries of a page lie."""
        if self._dense:
            return self._size - page * AUDIT_PAGE_ROWS
        return self._starts[page] + 1

    # --- what comes ---

    def open(self, outline: AuditOutline, *, filtered: bool) -> None:
        """Show another list, from its top."""
        self.beginResetModel()
        self._live.clear()
        self._pages.clear()
        self._size, self._paged, self._dense = outline.size, outline.total, not filtered
        self._starts = list(outline.starts)
        self.next_before = outline.next_before
        self.endResetModel()

    def extend(self, outline: AuditOutline) -> None:
        """Older entries, below those that have a line."""
        if outline.total:
            first = self.rowCount()
            self.beginInsertRows(QModelIndex(), first, first + outline.total - 1)
            self._paged += outline.total
            self._starts += outline.starts
            self.endInsertRows()
        self.next_before = outline.next_before

    def put_page(self, page: int, entries: Sequence[AuditEntry]) -> None:
        """The entries of a page; the pages not looked at for longest are let go."""
        self._pages[page] = tuple(self._prepared(entries))
        self._pages.move_to_end(page)
        while len(self._pages) > PAGES_HELD:
            self._pages.popitem(last=False)
        first = len(self._live) + page * AUDIT_PAGE_ROWS
        last = min(first + AUDIT_PAGE_ROWS, self.rowCount()) - 1
        if first <= last:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(Column) - 1))

    def bring(self, entries: Sequence[AuditEntry]) -> None:
        """New entries, newest first, to the top."""
        if entries:
            self.beginInsertRows(QModelIndex(), 0, len(entries) - 1)
            self._live += self._prepared(entries)[::-1]
            self.endInsertRows()

    # --- inside ---

    def _line(self, row: int) -> AuditLine | None:
        if row < len(self._live):
            return self._live[-1 - row] if row >= 0 else None
        page, place = divmod(row - len(self._live), AUDIT_PAGE_ROWS)
        lines = self._pages.get(page)
        if lines is None or place >= len(lines):
            return None
        self._pages.move_to_end(page)
        return lines[place]

    def _unloaded(self, row: int, column: Column, role: int) -> Any:
        if role == CellRole.DIMMED:
            return True
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return "Loading"
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if column is Column.ENTRY and self._dense:
            return whole(self._size - 1 - (row - len(self._live)))
        return "…" if column is Column.WHAT else ""

    def _prepared(self, entries: Sequence[AuditEntry]) -> list[AuditLine]:
        now = self._clock()
        return [audit_line(entry, now) for entry in entries]


def audit_line(entry: AuditEntry, now: datetime) -> AuditLine:
    """An entry with every word it is shown by."""
    words = read_entry(entry.leaf, now)
    reference = show_reference(entry.reference) if entry.reference else ""
    return AuditLine(
        entry=entry,
        words=words,
        texts=(
            words.when,
            entry.actor_name,
            words.short,
            entry.about or words.subject,
            reference,
            words.amount,
            whole(entry.index),
        ),
    )


def _tooltip(line: AuditLine, column: Column) -> str:
    if column is Column.WHAT:
        return line.words.text
    return line.words.exact_time if column is Column.TIME else line.texts[column]


def _spoken(line: AuditLine, column: Column) -> str:
    return f"{column.title}: {line.texts[column]}"


def _icon(line: AuditLine, column: Column) -> str | None:
    return line.words.icon if column is Column.WHAT else None


def _icon_tone(line: AuditLine, column: Column) -> str | None:
    return line.words.tone if column is Column.WHAT else None


def _tone(_line: AuditLine, column: Column) -> str | None:
    return "text_muted" if column in _QUIET else None
