"""The right pane of the Payments screen: one record, what happened, and what can be done."""

from __future__ import annotations

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout

from console.theme import Theme
from console.views.payments.shown import Shown
from console.widgets.basic import label, wrapped
from console.widgets.fields import FieldList, Timeline
from console.widgets.notices import Notice
from console.widgets.progress import SlowProgress
from console.widgets.record_pane import RecordPane
from core.domain.references import show_reference

_STORED_PIXELS = 12


class PaymentPane(RecordPane):
    """Shows what it is given; whoever owns it adds the buttons of its foot."""

    def __init__(self, theme: Theme, *, hint: str) -> None:
        super().__init__(theme, hint=hint)
        self._shown: Shown | None = None
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
        self._build()
        self.clear()

    @property
    def shown(self) -> Shown | None:
        return self._shown

    def clear(self) -> None:
        """Nothing is selected."""
        self._shown = None
        self.result.hide()
        self.show_nothing()

    def show_record(self, shown: Shown, *, is_other: bool) -> None:
        """`is_other`: another record than before, not the same one with news."""
        self._shown = shown
        if is_other:
            self.result.hide()
        self.show_head(
            icon=shown.state.icon,
            tone=shown.state.tone,
            state=shown.state.words,
            title=shown.title,
            reference=show_reference(shown.reference) if shown.reference else "",
        )
        self.notice.tell(shown.kind, shown.happened, shown.next_step)
        self.fields.show_fields(shown.fields)
        self.history.show_moments(shown.history)
        self._show_stored(shown)
        self.setAccessibleName(f"{shown.state.words}, {shown.title}. {shown.happened}")
        self.show_page(from_the_top=is_other)

    def show_foot(self, reasons: str, *, any_button: bool) -> None:
        """`reasons`: why some of the buttons cannot be pressed."""
        self.why_not.setText(reasons)
        self.why_not.setVisible(bool(reasons))
        self.foot.setVisible(any_button)

    # --- inside ---

    def _show_stored(self, shown: Shown) -> None:
        self._history_title.setVisible(bool(shown.history))
        self.history.setVisible(bool(shown.history))
        self._stored_title.setVisible(bool(shown.stored))
        self.stored.setVisible(bool(shown.stored))
        if self.stored.toPlainText() != shown.stored:
            self.stored.setPlainText(shown.stored)

    def _build(self) -> None:
        self._build_stored()
        for part in (
            self.result,
            self.notice,
            self.fields,
            self._history_title,
            self.history,
            self._stored_title,
            self.stored,
        ):
            self.body.addWidget(part)
        self.body.addStretch(1)
        self.buttons.setSpacing(8)
        layout = QVBoxLayout(self.foot)
        layout.setContentsMargins(20, 12, 20, 12)
        layout.setSpacing(8)
        layout.addWidget(self.progress)
        layout.addWidget(self.why_not)
        layout.addLayout(self.buttons)

    def _build_stored(self) -> None:
        self.stored.setReadOnly(True)
        self.stored.setAccessibleName("The callback as it came")
        self.stored.setTabChangesFocus(True)
        mono = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        mono.setPixelSize(_STORED_PIXELS)
        self.stored.setFont(mono)
        self.stored.setMinimumHeight(140)
