"""The right pane of the Payments screen: one record, what happened, and what can be done."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QScrollArea,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from console.theme import Theme
from console.views.payments.shown import Shown
from console.widgets.basic import Button, Icon, IconButton, label, wrapped
from console.widgets.fields import FieldList, Timeline
from console.widgets.notices import EmptyState, Notice
from console.widgets.progress import SlowProgress
from core.domain.references import show_reference

_STORED_PIXELS = 12


class PaymentPane(QFrame):
    """Shows what it is given; whoever owns it adds the buttons of its foot."""

    close_wanted = Signal()

    def __init__(self, theme: Theme, *, hint: str) -> None:
        """`hint` is what it says while nothing is selected."""
        super().__init__()
        self._shown: Shown | None = None
        self.setProperty("look", "pane")
        self._empty = EmptyState(theme, icon="panel-right", text=hint)
        self._icon = Icon(theme, "circle-dot", "text_muted")
        self._state = label(theme, size="heading")
        self._title = label(theme, size="title")
        self._reference = Button(theme, "", look="quiet", icon="copy", on_click=self.copy_reference)
        self._reference.setToolTip("Copy the reference (C)")
        self.result = Notice(theme)
        self.notice = Notice(theme)
        self.fields = FieldList(theme)
        self._history_title = label(theme, "Tries", look="muted")
        self.history = Timeline(theme)
        self._stored_title = label(theme, "As it came", look="muted")
        self.stored = QPlainTextEdit()
        self.progress = SlowProgress()
        self.why_not = wrapped(theme, look="muted")
        self.buttons = QHBoxLayout()
        self._foot = QFrame()
        self._build(theme)
        self.clear()

    @property
    def shown(self) -> Shown | None:
        return self._shown

    def clear(self) -> None:
        """Nothing is selected."""
        self._shown = None
        self.result.hide()
        self._foot.hide()
        self._pages.setCurrentIndex(0)

    def show_record(self, shown: Shown, *, is_other: bool) -> None:
        """`is_other`: another record than before, not the same one with news."""
        self._shown = shown
        if is_other:
            self.result.hide()
            self._scroll.verticalScrollBar().setValue(0)
        self._icon.show_icon(shown.state.icon, shown.state.tone)
        self._state.setText(shown.state.words)
        self._title.setText(shown.title)
        words = show_reference(shown.reference) if shown.reference else ""
        self._reference.setText(f" {words}")
        self._reference.setAccessibleName(f"Copy reference {words}")
        self._reference.setVisible(bool(words))
        self.notice.tell(shown.kind, shown.happened, shown.next_step)
        self.fields.show_fields(shown.fields)
        self.history.show_moments(shown.history)
        self._show_stored(shown)
        self.setAccessibleName(f"{shown.state.words}, {shown.title}. {shown.happened}")
        self._pages.setCurrentIndex(1)

    def show_foot(self, reasons: str, *, any_button: bool) -> None:
        """`reasons`: why some of the buttons cannot be pressed."""
        self.why_not.setText(reasons)
        self.why_not.setVisible(bool(reasons))
        self._foot.setVisible(any_button)

    def copy_reference(self) -> None:
        """Put the reference on the clipboard."""
        if self._shown is not None and self._shown.reference:
            QGuiApplication.clipboard().setText(show_reference(self._shown.reference))

    # --- inside ---

    def _show_stored(self, shown: Shown) -> None:
        self._history_title.setVisible(bool(shown.history))
        self.history.setVisible(bool(shown.history))
        self._stored_title.setVisible(bool(shown.stored))
        self.stored.setVisible(bool(shown.stored))
        if self.stored.toPlainText() != shown.stored:
            self.stored.setPlainText(shown.stored)

    def _build(self, theme: Theme) -> None:
        self.stored.setReadOnly(True)
        self.stored.setAccessibleName("The callback as it came")
        self.stored.setTabChangesFocus(True)
        mono = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        mono.setPixelSize(_STORED_PIXELS)
        self.stored.setFont(mono)
        self.stored.setMinimumHeight(140)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self._empty)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self._body())
        column.addLayout(self._head(theme))
        column.addWidget(self._scroll, 1)
        column.addWidget(self._foot)
        self._build_foot()
        self._pages.addWidget(page)

    def _head(self, theme: Theme) -> QVBoxLayout:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._icon)
        top.addWidget(self._state, 1)
        top.addWidget(
            IconButton(theme, "panel-right", "Hide details (D)", on_click=self.close_wanted.emit)
        )
        money = QHBoxLayout()
        money.addWidget(self._title)
        money.addStretch(1)
        money.addWidget(self._reference)
        head = QVBoxLayout()
        head.setContentsMargins(20, 10, 12, 10)
        head.setSpacing(0)
        head.addLayout(top)
        head.addLayout(money)
        return head

    def _body(self) -> QWidget:
        body = QWidget()
        body.setProperty("look", "scrolled")
        layout = QVBoxLayout(body)
        layout.setContentsMargins(20, 4, 20, 16)
        layout.setSpacing(12)
        for part in (
            self.result,
            self.notice,
            self.fields,
            self._history_title,
            self.history,
            self._stored_title,
            self.stored,
        ):
            layout.addWidget(part)
        layout.addStretch(1)
        return body

    def _build_foot(self) -> None:
        self._foot.setProperty("look", "foot")
        self.buttons.setSpacing(8)
        layout = QVBoxLayout(self._foot)
        layout.setContentsMargins(20, 12, 20, 12)
        layout.setSpacing(8)
        layout.addWidget(self.progress)
        layout.addWidget(self.why_not)
        layout.addLayout(self.buttons)
