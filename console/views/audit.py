"""The Audit screen: the ledger, newest first, with the chosen entry beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QAction, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from console.commands import Commands
from console.models.audit import AuditModel, Column
from console.theme import Theme
from console.views.audit_entry import EntryPane
from console.views.audit_filter import AuditFilterBar
from console.widgets.basic import Button, IconButton, label
from console.widgets.frames import edge_to_edge, list_and_pane
from console.widgets.notices import Banner, EmptyState
from console.widgets.table import set_widths
from console.widgets.virtual_table import VirtualTable
from console.words import counted, whole
from core.client.audit import EntryChecks
from core.protocol.messages import AuditEntry, AuditOutline

_WIDTHS = {
    Column.TIME: 140,
    Column.WHO: 128,
    Column.ABOUT: 112,
    Column.REFERENCE: 128,
    Column.AMOUNT: 108,
    Column.ENTRY: 96,
}
# What names get where there is room for them.
_WIDE_FROM = 960
_WIDE_NAME = 164
_HELD_AT_MOST = 1_000


class AuditScreen(QWidget):
    """Table, filters and inspector. It fetches nothing: it says what it lacks."""

    rows_wanted = Signal()  # see `model.missing` for the rows in view
    older_wanted = Signal()  # the end of what has lines is in view, and there is more
    reopen_wanted = Signal()  # the list from its top, with the filter as it is
    entry_wanted = Signal(object)  # AuditEntry, to be checked
    pending_wanted = Signal(object)  # UUID of an enrollment
    came_up = Signal()

    def __init__(
        self,
        theme: Theme,
        commands: Commands,
        *,
        clock: Callable[[], datetime],
        is_pending: Callable[[UUID], bool],
    ) -> None:
        super().__init__()
        self.model = AuditModel(clock, self)
        self.filter = AuditFilterBar(theme, clock=clock)
        self.table = VirtualTable(theme, name="Audit trail")
        self.table.setModel(self.model)
        self.entry = EntryPane(theme, clock=clock, is_pending=is_pending)
        self.count = label(theme, look="muted")
        self.count.setFont(theme.font(tabular=True))
        self.banner = Banner(theme)
        self.empty = EmptyState(
            theme, icon="search", text="", action="Clear the filters", on_action=self.filter.clear
        )
        self.problem = EmptyState(
            theme,
            icon="unlink",
            text="",
            action="Try again",
            on_action=self.reopen_wanted.emit,
        )
        self.pill = Button(theme, "", look="primary", on_click=self.go_newest)
        self.is_loading = False
        """Whether the first page of the list is still to come."""
        self._held: list[AuditEntry] = []
        self._held_too_many = False
        self._actions: list[QAction] = []  # can be done while this screen is seen
        self._build(theme)
        self._add_commands(commands)
        self._connect()
        self.tell_loading()

    # --- what the controller calls ---

    def tell_loading(self) -> None:
        """The list is asked for; what was there belongs to another filter."""
        self.is_loading = True
        self.empty.tell("hourglass", "Loading…", action=False)
        self._body.setCurrentWidget(self.empty)
        self.count.setText("")
        self.banner.hide()

    def tell_problem(self, message: str) -> None:
        """There is no list to show."""
        self.is_loading = False
        self.entry.clear()
        self.problem.tell("unlink", message, action=True)
        self._body.setCurrentWidget(self.problem)

    def tell_trouble(self, message: str) -> None:
        """Some entries of the list cannot be fetched now."""
        self.banner.tell("warn", message, action="Try again", on_action=self.rows_wanted.emit)

    def show_list(self, outline: AuditOutline, *, filtered: bool) -> None:
        """Another list, from its top."""
        self._hold_nothing()
        self.model.open(outline, filtered=filtered)
        self.is_loading = self.model.rowCount() > 0
        self.entry.clear()
        self.table.scrollToTop()
        self._refresh()
        self._look()

    def extend(self, outline: AuditOutline) -> None:
        self.model.extend(outline)
        self._refresh()

    def put_page(self, page: int, entries: Sequence[AuditEntry]) -> None:
        self.is_loading = False
        self.banner.hide()
        self.model.put_page(page, entries)
        self._show_current()

    def bring(self, entries: Sequence[AuditEntry]) -> None:
        """New entries, newest first; held back while the person reads further down."""
        if self.table.is_at_top:
            self.model.bring(entries)
            self._refresh()
            if self.model.live > _HELD_AT_MOST:
                self.reopen_wanted.emit()
            return
        if len(self._held) < _HELD_AT_MOST:
            self._held = [*entries, *self._held]
        else:
            self._held_too_many = True
        self._show_pill()

    def show_checks(self, entry: AuditEntry, checks: EntryChecks) -> None:
        self.entry.show_checks(entry, checks)

    @property
    def held(self) -> int:
        """How many new entries wait above."""
        return len(self._held)

    # --- what the person does ---

    def go_newest(self) -> None:
        """To the top, with what came in meanwhile."""
        self.table.scrollToTop()
        self._let_in()
        self.table.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def toggle_entry(self) -> None:
        self.entry.setVisible(self.entry.isHidden())

    # --- building ---

    def _build(self, theme: Theme) -> None:
        self._body = QStackedWidget()
        for page in (self.table, self.empty, self.problem):
            self._body.addWidget(page)
        left = QWidget()
        edge_to_edge(left, self._toolbar(theme), self.banner, self._body, grows=self._body)
        list_and_pane(self, theme, left, self.entry)
        self.pill.setParent(self.table)
        self.pill.hide()
        self.table.installEventFilter(self)
        self.setFocusProxy(self.table)
        set_widths(self.table, [_WIDTHS.get(column, 0) for column in Column])

    def _toolbar(self, theme: Theme) -> QFrame:
        bar = QFrame()
        bar.setProperty("look", "toolbar")
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addWidget(label(theme, "Audit", size="title"))
        top.addStretch(1)
        top.addWidget(self.count)
        top.addWidget(
            IconButton(theme, "panel-right", "Show or hide details (D)", on_click=self.toggle_entry)
        )
        rows = QVBoxLayout(bar)
        rows.setContentsMargins(20, 10, 12, 10)
        rows.setSpacing(8)
        rows.addLayout(top)
        rows.addWidget(self.filter)
        return bar

    def _add_commands(self, commands: Commands) -> None:
        def add(name: str, text: str, run: Callable[[], object], *keys: str) -> None:
            made = commands.add(f"audit {name}", text, run, owner=self, group="Audit", keys=keys)
            made.action.setEnabled(False)
            self._actions.append(made.action)

        add("filter", "Find an enrollment's entries", self.filter.focus_about, "Ctrl+F", "/")
        add("clear", "Show every entry", self.filter.clear)
        add("newest", "Back to the newest entry", self.go_newest, "Ctrl+Home")
        add("details", "Show or hide the entry", self.toggle_entry, "D")
        add("copy", "Copy the entry as stored", self.entry.copy_exact, "C")
        add("back", "Back to the entries", self._go_back, "Esc")

    def _connect(self) -> None:
        self.filter.changed.connect(self.reopen_wanted)
        self.filter.left.connect(self._go_rows)
        self.table.looked_at.connect(self._look)
        self.table.current_changed.connect(self._show_current)
        self.table.activated.connect(self._activated)
        self.entry.close_wanted.connect(self.toggle_entry)
        self.entry.pending_wanted.connect(self.pending_wanted)
        self.entry.about_wanted.connect(self.filter.about.setText)

    # --- Qt ---

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        for action in self._actions:
            action.setEnabled(True)
        self.entry.refresh_pending()
        self.came_up.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        for action in self._actions:
            action.setEnabled(False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The pill stays in the middle of the table's upper edge; names take the room there is."""
        if watched is self.table and event.type() == QEvent.Type.Resize:
            self._place_pill()
            wide = self.table.width() >= _WIDE_FROM
            for column in (Column.WHO, Column.ABOUT):
                self.table.setColumnWidth(column, _WIDE_NAME if wide else _WIDTHS[column])
            # Where there is no room, what happened comes before whom it is about: the inspector
            # tells that, and the reference stands in the line.
            self.table.setColumnHidden(Column.ABOUT, not wide)
        return False

    # --- inside ---

    def _go_back(self) -> None:
        """Escape: first off the selection, then out of the filter."""
        if self.table.current_row is not None:
            self.table.clear_current()
            self.entry.clear()
        elif not self.filter.query.is_empty:
            self.filter.clear()
        self.table.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _go_rows(self) -> None:
        self.table.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _activated(self, _index: QModelIndex) -> None:
        self.entry.show()

    def _show_current(self) -> None:
        """The inspector follows the selection; a row without its entry yet waits for its page."""
        row = self.table.current_row
        entry = None if row is None else self.model.entry_at(row)
        if row is None:
            self.entry.clear()
        elif entry is not None:
            is_other = self.entry.entry is None or self.entry.entry.index != entry.index
            self.entry.show_entry(entry)
            if is_other:
                self.entry_wanted.emit(entry)

    def _look(self) -> None:
        seen = self.table.visible_rows
        if seen is None:
            return
        if self.table.is_at_top:
            self._let_in()
        if self.model.missing(*seen) is not None:
            self.rows_wanted.emit()
        if seen[1] >= self.model.rowCount() - 1 and not self.model.is_all:
            self.older_wanted.emit()

    def _let_in(self) -> None:
        held, too_many = self._held, self._held_too_many
        self._hold_nothing()
        if too_many:
            self.reopen_wanted.emit()
        elif held:
            self.model.bring(held)
            self.table.scrollToTop()
            self._refresh()

    def _hold_nothing(self) -> None:
        self._held, self._held_too_many = [], False
        self.pill.hide()

    def _show_pill(self) -> None:
        number = counted(len(self._held), "new entry", "new entries")
        self.pill.setText(f"↑ {number}{' or more' if self._held_too_many else ''}")
        self.pill.setAccessibleName(f"{number}: go to the newest")
        self.pill.adjustSize()
        self._place_pill()
        self.pill.show()
        self.pill.raise_()

    def _place_pill(self) -> None:
        header = self.table.horizontalHeader().height()
        self.pill.move((self.table.width() - self.pill.width()) // 2, header + 12)

    def _refresh(self) -> None:
        count = self.model.rowCount()
        if count:
            words = counted(count, "entry", "entries")
            self.count.setText(words if self.model.is_all else f"{whole(count)}+ entries")
            self._body.setCurrentWidget(self.table)
            return
        self.count.setText("")
        narrowed = not self.filter.query.is_empty
        text = "No entry matches the filters." if narrowed else "The ledger is empty."
        self.empty.tell("search" if narrowed else "list", text, action=narrowed)
        self._body.setCurrentWidget(self.empty)
