"""The Pending screen: what waits, live, with the chosen one beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QStackedWidget,
    QWidget,
)

from console.commands import Commands
from console.models.pending import Column, PendingModel
from console.runtime.throttle import Throttle, timer_of
from console.theme import Theme
from console.views.detail import DetailPane
from console.widgets.basic import IconButton, label
from console.widgets.filter_box import FilterBox
from console.widgets.frames import edge_to_edge, list_and_pane
from console.widgets.notices import EmptyState
from console.widgets.table import LiveTable, set_widths
from console.words import counted, whole
from core.domain.money import format_rand
from core.protocol.messages import EnrollmentDetail, EnrollmentRow

_WIDTHS = {
    Column.AGE: 92,
    Column.REFERENCE: 128,
    Column.METHOD: 76,
    Column.AMOUNT: 122,
    Column.STATE: 146,
}
AGES_EVERY_MS = 15_000
NEW_FOR_MS = 8_000


class PendingScreen(QWidget):
    """Table, filter and detail pane. It decides nothing: it says what the officer wants."""

    approve_wanted = Signal(object)  # EnrollmentRow, exactly as shown
    reject_wanted = Signal(object)  # EnrollmentRow, exactly as shown
    detail_wanted = Signal(object)  # UUID
    again_wanted = Signal(object)  # UUID of the enrollment whose own decision met a change

    def __init__(
        self,
        theme: Theme,
        model: PendingModel,
        commands: Commands,
        *,
        clock: Callable[[], datetime],
        me: UUID,
        threshold_cents: int | None,
    ) -> None:
        super().__init__()
        self._model = model
        self._shown: EnrollmentRow | None = None
        self._bringing = False
        self.filter = FilterBox(theme, name="Filter the pending list")
        self.table = LiveTable(theme, model, name="Pending payments")
        self.detail = DetailPane(theme, clock=clock, me=me, threshold_cents=threshold_cents)
        self.sums = label(theme, look="muted")
        self.sums.setFont(theme.font(tabular=True))
        self.empty = EmptyState(
            theme,
            icon="inbox",
            text="",
            action="Clear the filter",
            on_action=self.filter.clear,
        )
        self._build(theme)
        self._add_commands(commands)
        self._connect()
        self._refresh()

    # --- what the controller calls ---

    def show_rows(self, rows: tuple[EnrollmentRow, ...], *, snapshot: bool) -> None:
        """What the feed brought: all rows, or those that changed."""
        # A row that leaves is still shown, with what became of it: see _follow_shown.
        self._bringing = True
        if snapshot:
            self._model.replace(rows)
        else:
            self._model.apply(rows)
            if self._model.fresh:
                self._settle_later.start()
        self._bringing = False
        self._follow_shown({row.enrollment: row for row in rows}, snapshot=snapshot)
        self._refresh()

    def overlays_changed(self) -> None:
        """The officer's own decisions moved on."""
        if self._shown is not None:
            self.detail.show_row(self._shown, self._model.overlay(self._shown.enrollment))
        self._refresh()

    def show_detail(self, detail: EnrollmentDetail) -> None:
        self.detail.show_detail(detail)

    def go_on_after(self, decided: UUID) -> None:
        """The officer decided: the next row that is still open, if the decided one is current."""
        if self.table.current_key == decided:
            busy = {key for key in self.table_keys() if self._is_busy(key)} | {decided}
            self.table.select_next(skip=busy)

    def table_keys(self) -> list[UUID]:
        """The keys of all rows in their order."""
        keys = (self._model.key_at(row) for row in range(self._model.rowCount()))
        return [key for key in keys if key is not None]

    def toggle_detail(self) -> None:
        self.detail.setVisible(self.detail.isHidden())

    # --- building ---

    def _build(self, theme: Theme) -> None:
        self._body = QStackedWidget()
        self._body.addWidget(self.table)
        self._body.addWidget(self.empty)
        left = QWidget()
        edge_to_edge(left, self._toolbar(theme), self._body, grows=self._body)
        list_and_pane(self, theme, left, self.detail)
        self._set_columns()

    def _toolbar(self, theme: Theme) -> QFrame:
        bar = QFrame()
        bar.setProperty("look", "toolbar")
        row = QHBoxLayout(bar)
        row.setContentsMargins(20, 10, 12, 10)
        row.setSpacing(16)
        row.addWidget(label(theme, "Pending", size="title"))
        row.addWidget(self.filter)
        row.addStretch(1)
        row.addWidget(self.sums)
        self._toggle = IconButton(
            theme, "panel-right", "Show or hide details (D)", on_click=self.toggle_detail
        )
        row.addWidget(self._toggle)
        return bar

    def _set_columns(self) -> None:
        set_widths(self.table, [_WIDTHS.get(column, 0) for column in Column])
        # Who has waited longest comes first: this is a queue.
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(Column.AGE, Qt.SortOrder.AscendingOrder)

    def _add_commands(self, commands: Commands) -> None:
        add, own = commands.add, "Pending"
        self._approve = add(
            "approve", "Approve the payment", self._want_approve, owner=self, group=own, keys=("A",)
        )
        self._reject = add(
            "reject", "Reject the payment…", self._want_reject, owner=self, group=own, keys=("R",)
        )
        self._copy = add(
            "copy", "Copy the reference", self.detail.copy_reference,
            owner=self, group=own, keys=("C", "Ctrl+C"),
        )  # fmt: skip
        self._again = add(
            "compare", "Compare and decide again…", self._want_again,
            owner=self, group=own, keys=("G",),
        )  # fmt: skip
        add("filter", "Filter", self.filter.enter, owner=self, group=own, keys=("/", "Ctrl+F"))
        add(
            "details",
            "Show or hide details",
            self.toggle_detail,
            owner=self,
            group=own,
            keys=("D",),
        )
        add("back", "Back to the rows", self._go_back, owner=self, group=own, keys=("Esc",))

    def _connect(self) -> None:
        self.filter.textChanged.connect(self._filter_changed)
        self.filter.left.connect(self.table.enter)
        self.table.current_changed.connect(self._current_changed)
        self.table.activated.connect(self._activated)
        self.detail.approve.clicked.connect(self._approve.action.trigger)
        self.detail.reject.clicked.connect(self._reject.action.trigger)
        self.detail.again_wanted.connect(self._again.action.trigger)
        self.detail.close_wanted.connect(self.toggle_detail)
        self._refresh_sums = Throttle(self._paint_sums, later=timer_of(self))
        self._ages = QTimer(self)
        self._ages.timeout.connect(self._model.tick)
        self._ages.start(AGES_EVERY_MS)
        self._settle_later = QTimer(self)
        self._settle_later.setSingleShot(True)
        self._settle_later.setInterval(NEW_FOR_MS)
        self._settle_later.timeout.connect(lambda: self._model.settle(self._model.fresh))

    # --- what the officer does ---

    def _want_approve(self) -> None:
        if self._shown is not None and self.detail.can_decide:
            self.approve_wanted.emit(self._shown)

    def _want_reject(self) -> None:
        if self._shown is not None and self.detail.can_reject:
            self.reject_wanted.emit(self._shown)

    def _want_again(self) -> None:
        if self._shown is not None and self.detail.can_compare:
            self.again_wanted.emit(self._shown.enrollment)

    def _go_back(self) -> None:
        """Escape, from anywhere on this screen: first out of the filter, then off the selection."""
        if self.filter.text():
            self.filter.clear()
        elif self.table.hasFocus():
            self.table.clear_current()
            self._show_nothing()
            self._refresh_commands()
        self.table.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _activated(self, _index: QModelIndex) -> None:
        self.detail.show()

    def _filter_changed(self, text: str) -> None:
        self._model.set_filter(text)
        self._refresh()

    def _current_changed(self, key: UUID | None) -> None:
        row = None if key is None else self._model.row(key)
        if row is not None and key is not None:
            self._show(row)
            self.detail_wanted.emit(key)
        elif not self._bringing:
            self._show_nothing()
        self._refresh_commands()

    # --- keeping up ---

    def _show(self, row: EnrollmentRow) -> None:
        self._shown = row
        self.detail.show_row(row, self._model.overlay(row.enrollment))

    def _show_nothing(self) -> None:
        self._shown = None
        self.detail.clear()

    def _follow_shown(self, rows: dict[UUID, EnrollmentRow], *, snapshot: bool) -> None:
        """The detail pane follows its enrollment, also when that leaves the list."""
        if self._shown is None:
            return
        key = self._shown.enrollment
        row = self._model.row(key) or rows.get(key)
        if row is None:
            if snapshot:
                self._show_nothing()
        elif row.version >= self._shown.version and row != self._shown:
            self._show(row)
            self.detail_wanted.emit(key)

    def _is_busy(self, key: UUID) -> bool:
        overlay = self._model.overlay(key)
        return overlay is not None and overlay.blocks_deciding

    def _refresh(self) -> None:
        self._refresh_sums()
        self._refresh_empty()
        self._refresh_commands()

    def _refresh_commands(self) -> None:
        self._approve.action.setEnabled(self.detail.can_decide)
        self._reject.action.setEnabled(self.detail.can_reject)
        self._copy.action.setEnabled(self._shown is not None)
        self._again.action.setEnabled(self.detail.can_compare)

    def _refresh_empty(self) -> None:
        filtered = bool(self._model.filter_text.strip()) and self._model.count > 0
        if self._model.rowCount():
            self._body.setCurrentWidget(self.table)
            return
        words = "No payment matches the filter." if filtered else "Nothing waits for a decision."
        self.empty.tell("search" if filtered else "inbox", words, action=filtered)
        self._body.setCurrentWidget(self.empty)

    def _paint_sums(self) -> None:
        shown, count = self._model.rowCount(), self._model.count
        some = "" if shown == count else f"{whole(shown)} of "
        payments = counted(count, "payment", "payments")
        self.sums.setText(f"{some}{payments}  ·  {format_rand(self._model.total)}")
