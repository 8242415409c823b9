"""The parts of a section of the Payments screen and where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QStackedWidget,
    QWidget,
)

from console.models.records import RecordModel
from console.theme import Theme
from console.views.payments.pane import PaymentPane
from console.widgets.basic import Button, ElidedLabel
from console.widgets.choice import ChoiceButton
from console.widgets.filter_box import FilterBox
from console.widgets.frames import edge_to_edge, list_and_pane
from console.widgets.notices import EmptyState
from console.widgets.table import LiveTable, set_widths

Choice = tuple[object, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a section is called and says. `empty` by choice; None where there are no choices."""

    name: str
    icon: str
    hint: str
    empty: dict[object, str]
    choices: tuple[Choice, ...] = ()
    sort: tuple[int, Qt.SortOrder] = (0, Qt.SortOrder.AscendingOrder)


class SectionFrame(QWidget):
    """Choice, filter, table or empty state, paging; the pane at the right."""

    empty_action = Signal()

    def __init__(self, theme: Theme, model: RecordModel[Any], about: About) -> None:
        super().__init__()
        self.about = about
        self.choice = ChoiceButton(theme, f"{about.name}: show")
        self.filter = FilterBox(
            theme,
            name=f"Filter this page of {about.name.lower()}",
            hint="Filter this page   /",
        )
        self.trouble = ElidedLabel(theme, look="warn")
        self.tools = QHBoxLayout()
        self.table = LiveTable(theme, model, name=about.name)
        self.empty = EmptyState(theme, icon=about.icon, text="", on_action=self.empty_action.emit)
        self.empty.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.body = QStackedWidget()
        self.place = ElidedLabel(theme, look="muted")
        self.newer = Button(theme, "Newer", icon="chevron-left")
        self.older = Button(theme, "Older", icon="chevron-right")
        self.paging = QFrame()
        self.pane = PaymentPane(theme, hint=about.hint)
        self._build(theme)
        self._set_columns(model)

    def show_part(self, part: QWidget) -> None:
        """Table or empty state. The keys of the screen work in either: the focus stays here."""
        if part is self.body.currentWidget():
            return
        had_focus = self.table.hasFocus() or self.empty.hasFocus()
        self.body.setCurrentWidget(part)
        if had_focus:
            self.take_focus()

    def take_focus(self) -> None:
        """To the rows, if there are any."""
        has_rows = self.body.currentWidget() is self.table
        (self.table if has_rows else self.empty).setFocus(Qt.FocusReason.OtherFocusReason)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.take_focus()

    def toggle_pane(self) -> None:
        self.pane.setVisible(self.pane.isHidden())

    def _build(self, theme: Theme) -> None:
        about = self.about
        if about.choices:
            self.choice.set_choices([about.choices])
        else:
            self.choice.hide()
        left = QWidget()
        self.body.addWidget(self.table)
        self.body.addWidget(self.empty)
        self._build_paging()
        edge_to_edge(left, self._bar(), self.body, self.paging, grows=self.body)
        list_and_pane(self, theme, left, self.pane)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def _bar(self) -> QHBoxLayout:
        self.tools.setContentsMargins(20, 8, 12, 8)
        self.tools.setSpacing(8)
        self.tools.addWidget(self.choice)
        self.tools.addWidget(self.filter)
        self.tools.addWidget(self.trouble, 1)
        return self.tools

    def _build_paging(self) -> None:
        self.paging.setProperty("look", "foot")
        row = QHBoxLayout(self.paging)
        row.setContentsMargins(20, 8, 12, 8)
        row.setSpacing(8)
        row.addWidget(self.place, 1)
        row.addWidget(self.newer)
        row.addWidget(self.older)

    def _set_columns(self, model: RecordModel[Any]) -> None:
        set_widths(self.table, [column.width for column in model.columns])
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(*self.about.sort)
