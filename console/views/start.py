"""The first thing on the screen: progress while everything starts, or why it did not.

Imports only what is needed to paint; everything heavy comes after.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from console.theme import Theme
from console.widgets.basic import Button, Icon, centred, label, wrapped

Act = Callable[[], object]


class StartPage(QWidget):
    """One card in the middle: what is going on, or what went wrong and the ways out."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._on_again: Act | None = None
        self._on_connect: Act | None = None
        self._icon = Icon(theme, "landmark", "accent", size=32)
        self._title = label(theme, "Bursar", size="title")
        self._words = wrapped(theme, "Starting…", look="muted")
        self._progress = QProgressBar()
        self._progress.setRange(0, 0)
        self._progress.setTextVisible(False)
        self._details = QPlainTextEdit()
        self._details.setReadOnly(True)
        self._details.setFont(theme.font())
        self._details.setFixedHeight(140)
        self._details.setAccessibleName("Details")
        self.again = Button(theme, "Try again", look="primary", on_click=self._again)
        self.connect_other = Button(theme, "Connect to a backend…", on_click=self._connect)
        self.show_details = Button(theme, "Details", look="quiet", on_click=self._toggle_details)
        self._build()
        self.tell("Starting…")

    @property
    def text(self) -> str:
        return self._words.text()

    @property
    def details(self) -> str:
        return self._details.toPlainText()

    def tell(self, text: str) -> None:
        """The step that runs now."""
        self._icon.show_icon("landmark", "accent")
        self._title.setText("Bursar")
        self._words.setText(text)
        self._words.setAccessibleName(text)
        self._progress.show()
        for widget in (self._details, self.again, self.connect_other, self.show_details):
            widget.hide()

    def fail(self, title: str, text: str, details: str, *, again: Act, connect: Act) -> None:
        """Say what went wrong, with the ways out."""
        self._on_again, self._on_connect = again, connect
        self._icon.show_icon("circle-alert", "danger")
        self._title.setText(title)
        self._words.setText(text)
        self._words.setAccessibleName(text)
        self._details.setPlainText(details)
        self._progress.hide()
        self.again.show()
        self.connect_other.show()
        self.show_details.setVisible(bool(details))
        self.again.setFocus()

    def _build(self) -> None:
        card = QFrame()
        card.setProperty("look", "card")
        card.setFixedWidth(460)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.again)
        buttons.addWidget(self.connect_other)
        buttons.addStretch(1)
        buttons.addWidget(self.show_details)
        inner = QVBoxLayout(card)
        inner.setContentsMargins(32, 28, 32, 28)
        inner.setSpacing(12)
        inner.addWidget(self._icon)
        for widget in (self._title, self._words, self._progress):
            inner.addWidget(widget)
        inner.addLayout(buttons)
        inner.addWidget(self._details)
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        layout.addLayout(centred(card))
        layout.addStretch(3)

    def _toggle_details(self) -> None:
        self._details.setVisible(self._details.isHidden())

    def _again(self) -> None:
        if self._on_again is not None:
            self._on_again()

    def _connect(self) -> None:
        if self._on_connect is not None:
            self._on_connect()
