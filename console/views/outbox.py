"""The Outbox screen: every own decision and what became of it, with the chosen one beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from PySide6.QtCore import QEvent, QModelIndex, Qt, Signal
from PySide6.QtGui import QAction, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from console.commands import Commands
from console.models.outbox import Column, OutboxModel
from console.theme import Theme
from console.views.outbox_notices import OutboxNotices
from console.views.outbox_pane import OutboxPane
from console.views.outbox_words import Group
from console.widgets.basic import Button, IconButton, label
from console.widgets.filter_box import FilterBox
from console.widgets.frames import edge_to_edge, list_and_pane
from console.widgets.notices import EmptyState
from console.widgets.table import LiveTable, set_widths
from console.words import counted, whole
from core.client.outbox import OutboxItem
from core.domain.money import format_rand

_WIDTHS = {
    Column.STATE: 138,
    Column.AGE: 80,
    Column.REFERENCE: 128,
    Column.DECISION: 104,
    Column.AMOUNT: 122,
}
_NOTHING: Mapping[Group | None, str] = MappingProxyType(
    {
        None: "No decision is in this outbox.",
        Group.NEEDS_YOU: "Nothing needs you.",
        Group.WAITING: "Nothing waits to be sent.",
        Group.DONE: "Nothing is done yet.",
    }
)
_Add = Callable[..., QAction]
_NARROW_FILTER = 140
_GROUPS: tuple[Group | None, ...] = (None, *Group)


class OutboxScreen(QWidget):
    """Table, groups and details. It does nothing itself: it says what the officer wants."""

    retry_wanted = Signal(object)  # UUID of an item
    discard_wanted = Signal(object)
    dismiss_wanted = Signal(object)
    again_wanted = Signal(object)
    retry_all_wanted = Signal()
    pending_wanted = Signal()
    notice_read = Signal(int)
    came_up = Signal()

    def __init__(
        self,
        theme: Theme,
        model: OutboxModel,
        commands: Commands,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__()
        self.model = model
        self._shown: UUID | None = None
        self._bringing = False
        self.filter = FilterBox(theme, name="Filter the outbox")
        self.filter.setMinimumWidth(_NARROW_FILTER)  # gives way to the groups in a small window
        self.table = LiveTable(theme, model, name="Outbox")
        self.pane = OutboxPane(theme, clock=clock)
        self.notices = OutboxNotices(theme, clock=clock)
        self.sums = label(theme, look="muted")
        self.sums.setFont(theme.font(tabular=True))
        self.retry_all = Button(theme, "Try all now", icon="refresh-cw", hint="Shift+R")
        self.groups = QButtonGroup(self)
        self.empty = EmptyState(
            theme, icon="send", text="", action="Go to Pending", on_action=self._leave_empty
        )
        self._actions: list[QAction] = []  # can be done while this screen is seen
        self._build(theme)
        self._add_commands(commands)
        self._connect()
        self._refresh()

    # --- what the controller calls ---

    def show_items(self, items: Iterable[OutboxItem]) -> None:
        """All items, as the file has them."""
        self._bring(lambda: self.model.set_items(items))

    def items_changed(self, items: Iterable[OutboxItem]) -> None:
        """Items that are new or moved on."""
        self._bring(lambda: self.model.items_changed(items))

    def tick(self) -> None:
        """The clock has moved on."""
        self.model.tick()
        self.pane.refresh()

    # --- what the person does ---

    def show_group(self, group: Group | None) -> None:
        """Only these, or all."""
        self.groups.button(_GROUPS.index(group)).setChecked(True)
        self.model.show_group(group)
        self._refresh()

    def toggle_pane(self) -> None:
        self.pane.setVisible(self.pane.isHidden())

    # --- building ---

    def _build(self, theme: Theme) -> None:
        self._body = QStackedWidget()
        self._body.addWidget(self.table)
        self._body.addWidget(self.empty)
        left = QWidget()
        edge_to_edge(left, self._toolbar(theme), self.notices, self._body, grows=self._body)
        list_and_pane(self, theme, left, self.pane)
        self.setFocusProxy(self.table)
        self._set_columns()

    def _toolbar(self, theme: Theme) -> QFrame:
        bar = QFrame()
        bar.setProperty("look", "toolbar")
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addWidget(label(theme, "Outbox", size="title"))
        top.addStretch(1)
        top.addWidget(self.sums)
        top.addWidget(self.retry_all)
        top.addWidget(
            IconButton(theme, "panel-right", "Show or hide details (D)", on_click=self.toggle_pane)
        )
        below = QHBoxLayout()
        below.setSpacing(4)
        for number, group in enumerate(_GROUPS):
            button = Button(theme, "", look="quiet", hint=str(number + 1))
            button.setCheckable(True)
            button.clicked.connect(lambda _checked, group=group: self.show_group(group))
            self.groups.addButton(button, number)
            below.addWidget(button)
        self.groups.button(0).setChecked(True)
        below.addStretch(1)
        below.addWidget(self.filter, 2)
        rows = QVBoxLayout(bar)
        rows.setContentsMargins(20, 10, 12, 10)
        rows.setSpacing(8)
        rows.addLayout(top)
        rows.addLayout(below)
        return bar

    def _set_columns(self) -> None:
        set_widths(self.table, [_WIDTHS.get(column, 0) for column in Column])
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(Column.STATE, Qt.SortOrder.AscendingOrder)

    def _add_commands(self, commands: Commands) -> None:
        def add(name: str, text: str, run: Callable[[], object], *keys: str) -> QAction:
            made = commands.add(f"outbox {name}", text, run, owner=self, group="Outbox", keys=keys)
            made.action.setEnabled(False)
            return made.action

        self._retry = add("retry", "Try this decision now", self._want_retry, "R")
        self._discard = add("discard", "Discard this decision…", self._want_discard, "Del")
        self._dismiss = add("dismiss", "Dismiss: I have read it", self._want_dismiss, "X")
        self._again = add("again", "Decide again…", self._want_again, "G")
        self._copy = add("copy", "Copy the reference", self.pane.copy_reference, "C", "Ctrl+C")
        self._retry_all = add("retry all", "Try all now", self.retry_all_wanted.emit, "Shift+R")
        self._actions = [
            *(self._add_group(add, number, group) for number, group in enumerate(_GROUPS, 1)),
            add("filter", "Filter the outbox", self.filter.enter, "/", "Ctrl+F"),
            add("details", "Show or hide the decision", self.toggle_pane, "D"),
            add("back", "Back to the decisions", self._go_back, "Esc"),
        ]

    def _add_group(self, add: _Add, number: int, group: Group | None) -> QAction:
        words = _group_words(group).lower()
        return add(
            f"show {words}", f"Outbox: show {words}", lambda: self.show_group(group), str(number)
        )

    def _connect(self) -> None:
        self.filter.textChanged.connect(self._filter_changed)
        self.filter.left.connect(self.table.enter)
        self.table.current_changed.connect(self._current_changed)
        self.table.activated.connect(self._activated)
        self.pane.close_wanted.connect(self.toggle_pane)
        self.pane.retry.clicked.connect(self._retry.trigger)
        self.pane.discard.clicked.connect(self._discard.trigger)
        self.pane.dismiss.clicked.connect(self._dismiss.trigger)
        self.pane.again.clicked.connect(self._again.trigger)
        self.retry_all.clicked.connect(self._retry_all.trigger)
        self.notices.read.connect(self.notice_read)

    # --- Qt ---

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh_actions()
        self.came_up.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._refresh_actions()

    def changeEvent(self, event: QEvent) -> None:
        """Disabled, as while the ledger is in doubt, it does nothing by the palette either."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange:
            self._refresh_actions()

    # --- what the officer wants ---

    def _want_retry(self) -> None:
        if self.pane.row is not None:
            self.retry_wanted.emit(self.pane.row.lead.id)

    def _want_discard(self) -> None:
        if self.pane.row is not None:
            self.discard_wanted.emit(self.pane.row.decision.id)

    def _want_dismiss(self) -> None:
        if self.pane.row is not None:
            self.dismiss_wanted.emit(self.pane.row.lead.id)

    def _want_again(self) -> None:
        if self.pane.row is not None:
            self.again_wanted.emit(self.pane.row.decision.id)

    def _go_back(self) -> None:
        """Escape: first out of the filter, then off the selection, then to all groups."""
        if self.filter.text():
            self.filter.clear()
        elif self.pane.row is not None:
            self.table.clear_current()
            self._show_nothing()
        else:
            self.show_group(None)
        self.table.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _leave_empty(self) -> None:
        """The one action of the empty list: to where there is something."""
        if self.filter.text():
            self.filter.clear()
        elif self.model.group is not None:
            self.show_group(None)
        else:
            self.pending_wanted.emit()

    def _activated(self, _index: QModelIndex) -> None:
        self.pane.show()

    def _filter_changed(self, text: str) -> None:
        self.model.set_filter(text)
        self._refresh()

    def _current_changed(self, key: UUID | None) -> None:
        row = None if key is None else self.model.row(key)
        if row is not None:
            self._shown = key
            self.pane.show_row(row)
        elif not self._bringing:
            self._show_nothing()
        self._refresh_actions()

    # --- keeping up ---

    def _bring(self, change: Callable[[], None]) -> None:
        """A row that leaves its group is still shown beside it, with what became of it."""
        self._bringing = True
        change()
        self._bringing = False
        row = None if self._shown is None else self.model.row(self._shown)
        if row is not None:
            self.pane.show_row(row)
        elif self._shown is not None:
            self._show_nothing()
        self._refresh()

    def _show_nothing(self) -> None:
        self._shown = None
        self.pane.clear()
        self._refresh_actions()

    def _refresh(self) -> None:
        self._refresh_groups()
        self._refresh_empty()
        self._refresh_actions()

    def _refresh_groups(self) -> None:
        sizes = self.model.sizes()
        for number, group in enumerate(_GROUPS):
            size = sum(sizes.values()) if group is None else sizes[group]
            words = _group_words(group)
            button = self.groups.button(number)
            button.setText(f"{words} {whole(size)}")
            button.setAccessibleName(f"{words}: {counted(size, 'decision', 'decisions')}")
        shown = counted(self.model.rowCount(), "decision", "decisions")
        self.sums.setText(f"{shown}  ·  {format_rand(self.model.total)}")

    def _refresh_empty(self) -> None:
        if self.model.rowCount():
            self._body.setCurrentWidget(self.table)
            return
        group, filtered = self.model.group, bool(self.filter.text().strip())
        words = "No decision matches the filter." if filtered else _NOTHING[group]
        icon = "search" if filtered else "send"
        where = "Clear the filter" if filtered else "Show all" if group else "Go to Pending"
        self.empty.tell(icon, words, action=True)
        self.empty.set_action(where)
        self._body.setCurrentWidget(self.empty)

    def _refresh_actions(self) -> None:
        """The palette offers only what can be done now, and nothing of a screen out of sight."""
        seen, ways = self.isVisible() and self.isEnabled(), self.pane.ways
        for action in self._actions:
            action.setEnabled(seen)
        self._retry.setEnabled(seen and ways.retry)
        self._discard.setEnabled(seen and ways.discard)
        self._dismiss.setEnabled(seen and ways.dismiss)
        self._again.setEnabled(seen and bool(ways.again))
        self._copy.setEnabled(seen and self.pane.row is not None)
        sizes = self.model.sizes()
        some = bool(sizes[Group.WAITING] or sizes[Group.NEEDS_YOU])
        self._retry_all.setEnabled(seen and some)
        self.retry_all.setEnabled(some)


def _group_words(group: Group | None) -> str:
    return "All" if group is None else group.value
