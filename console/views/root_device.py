"""The first administrator's console: a one-time code from the server makes it the first device."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from console.theme import Theme
from console.widgets.basic import Button, centred, label, wrapped
from console.widgets.fingerprint import Fingerprint
from console.widgets.form import line_edit
from console.widgets.notices import Notice

_MIN_CODE = 16
_COMMAND = "bursar-backend devices code"


class RootDevicePage(QWidget):
    """Asks for the code, and shows the fingerprint afterwards. It does not enroll."""

    wanted = Signal(str)  # the code
    left = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.code = line_edit(theme, "One-time code")
        self.submit = Button(theme, "Enroll this console", look="primary", on_click=self._submit)
        self.later = Button(theme, "Later", look="quiet", hint="Esc", on_click=self.left.emit)
        self.go_on = Button(theme, "Continue", look="primary", on_click=self.left.emit)
        self.notice = Notice(theme)
        self.fingerprint = Fingerprint(theme)
        self._title = label(theme, size="title")
        self._words = wrapped(theme, look="muted")
        self._command = label(theme, _COMMAND, look="key")
        self._command.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._name = label(theme, "One-time code")
        self._name.setBuddy(self.code)
        self._progress = QProgressBar()
        self._progress.setRange(0, 0)
        self._progress.setTextVisible(False)
        self._build()
        self.code.returnPressed.connect(self._submit)
        self.prepare(fingerprint="", others=False)

    def prepare(self, *, fingerprint: str, others: bool) -> None:
        """`fingerprint` is this console's; `others`: there are first devices already."""
        self._title.setText("Enroll this console with a code" if others else "The first device")
        self._words.setText(
            "A console signs every decision with a key of its own, and an administrator's console"
            " enrolls all others. "
            + (
                "Another administrator can enroll this one; without one, a code from the server"
                " does it."
                if others
                else "No administrator's console is enrolled yet: make this one the first."
            )
            + " Run this on the server and write down the code it prints:"
        )
        self.fingerprint.show_text(fingerprint)
        self.code.clear()
        self.notice.hide()
        self._show_asking(asking=True)
        self.set_busy(busy=False)
        self.code.setFocus()

    def tell_problem(self, text: str) -> None:
        self.notice.tell("warn", "That did not work", text)
        self.set_busy(busy=False)
        self.code.setFocus()
        self.code.selectAll()

    def tell_done(self) -> None:
        """This console is a first device now."""
        self.notice.hide()
        self.set_busy(busy=False)
        self._title.setText("This console is enrolled")
        self._words.setText(
            "It enrolls all others from now on. This is the fingerprint of its key: keep it, and"
            " compare it with what the other consoles show in their settings as the first"
            " administrator."
        )
        self._show_asking(asking=False)
        self.go_on.setFocus()

    def set_busy(self, *, busy: bool) -> None:
        """While an answer is awaited nothing can be sent twice."""
        self._progress.setVisible(busy)
        for widget in (self.code, self.submit, self.later):
            widget.setEnabled(not busy)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.later.isEnabled():
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def _submit(self) -> None:
        code = self.code.text().strip()
        if len(code) < _MIN_CODE:
            self.tell_problem("Write the whole code that the server printed.")
            return
        self.notice.hide()
        self.set_busy(busy=True)
        self.wanted.emit(code)

    def _show_asking(self, *, asking: bool) -> None:
        for widget in (self._command, self._name, self.code, self.submit, self.later):
            widget.setVisible(asking)
        self.fingerprint.setVisible(not asking)
        self.go_on.setVisible(not asking)

    def _build(self) -> None:
        card = QFrame()
        card.setProperty("look", "card")
        card.setFixedWidth(520)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.submit)
        buttons.addWidget(self.go_on)
        buttons.addWidget(self.later)
        buttons.addStretch(1)
        inner = QVBoxLayout(card)
        inner.setContentsMargins(32, 28, 32, 28)
        inner.setSpacing(12)
        inner.addWidget(self._title)
        inner.addWidget(self._words)
        inner.addWidget(self._command, 0, Qt.AlignmentFlag.AlignLeft)
        for widget in (self.notice, self._name, self.code, self.fingerprint, self._progress):
            inner.addWidget(widget)
        inner.addLayout(buttons)
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        layout.addLayout(centred(card))
        layout.addStretch(3)
