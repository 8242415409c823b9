"""Why a payment is rejected: a reason from the list, and the officer's own words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QHBoxLayout,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from console.theme import Theme
from console.views.wording import REASONS, REJECT_REASONS
from console.widgets.basic import Button, label, wrapped
from core.domain.decisions import ReasonCode
from core.domain.money import format_rand
from core.domain.references import show_reference
from core.protocol.messages import EnrollmentRow

MAX_NOTE = 1000
_FIRST_KEY = Qt.Key.Key_1


class RejectDialog(QDialog):
    """Keys 1 to 6 choose a reason, Ctrl+Enter rejects, Escape leaves everything as it is."""

    def __init__(self, theme: Theme, row: EnrollmentRow, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Reject payment")
        self.setProperty("look", "sheet")
        self._group = QButtonGroup(self)
        self._note = QPlainTextEdit()
        self._count = label(theme, look="muted")
        self._problem = label(theme, look="danger")
        self.ok = Button(
            theme, "Reject", look="danger", hint="Ctrl ↵", on_click=self._accept_if_complete
        )
        self._choices = MappingProxyType(
            {reason: self._choice(theme, n, reason) for n, reason in enumerate(REJECT_REASONS, 1)}
        )
        self._build(theme, row)
        self._group.buttonClicked.connect(self._changed)
        self._note.textChanged.connect(self._changed)
        self._changed()
        self._choices[REJECT_REASONS[0]].setFocus()

    # --- what it gives ---

    @property
    def reason(self) -> ReasonCode | None:
        return next((code for code, button in self._choices.items() if button.isChecked()), None)

    @property
    def note(self) -> str | None:
        """The officer's own words, or None."""
        return self._note.toPlainText().strip() or None

    @property
    def choices(self) -> Mapping[ReasonCode, Button]:
        return self._choices

    def fill(self, reason: ReasonCode, note: str) -> None:
        """As if a person had chosen and typed."""
        self._choices[reason].click()
        self._note.setPlainText(note)

    # --- inside ---

    def _build(self, theme: Theme, row: EnrollmentRow) -> None:
        cents = row.claim.amount_cents if row.claim else row.amount_cents
        what = f"{format_rand(cents)} · {show_reference(row.reference)} · {row.student.name}"
        cancel = Button(theme, "Cancel", hint="Esc", on_click=self.reject)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self._problem, 1)
        foot.addWidget(cancel)
        foot.addWidget(self.ok)
        own = QHBoxLayout()
        own.addWidget(label(theme, "In your own words", look=""), 1)
        own.addWidget(self._count)
        self._note.setAccessibleName("In your own words")
        self._note.setFont(theme.font())
        self._note.setTabChangesFocus(True)
        self._note.setFixedHeight(84)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(8)
        layout.addWidget(label(theme, "Reject this payment?", size="title"))
        layout.addWidget(wrapped(theme, what, look="muted"))
        layout.addSpacing(8)
        for button in self._choices.values():
            layout.addWidget(button)
        layout.addSpacing(8)
        layout.addLayout(own)
        layout.addWidget(self._note)
        layout.addSpacing(8)
        layout.addLayout(foot)
        self.setMinimumWidth(520)

    def _choice(self, theme: Theme, number: int, reason: ReasonCode) -> Button:
        button = Button(theme, REASONS[reason], look="choice", hint=str(number))
        button.setCheckable(True)
        button.setAutoDefault(False)
        self._group.addButton(button)
        return button

    def _missing(self) -> str:
        if self.reason is None:
            return "Choose a reason."
        if self.reason is ReasonCode.OTHER and self.note is None:
            return "Say in your own words what the reason is."
        if len(self._note.toPlainText()) > MAX_NOTE:
            return f"At most {MAX_NOTE} characters."
        return ""

    def _changed(self) -> None:
        self._count.setText(f"{len(self._note.toPlainText())} of {MAX_NOTE}")
        self._problem.setText("")
        self.ok.setEnabled(not self._missing())

    def _accept_if_complete(self) -> None:
        missing = self._missing()
        self._problem.setText(missing)
        if not missing:
            self.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            # Plain Enter does nothing: a rejection is never an accident.
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self._accept_if_complete()
            return
        number = key.value - _FIRST_KEY.value
        if 0 <= number < len(REJECT_REASONS) and not event.modifiers():
            chosen = self._choices[REJECT_REASONS[number]]
            chosen.click()
            chosen.setFocus()
            return
        super().keyPressEvent(event)
