"""`FilterBox`: the line above a table that says which of its rows are shown."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit

from console.theme import Theme


class FilterBox(QLineEdit):
    """Escape empties it and goes back to the rows; Enter and Down go to the rows."""

    left = Signal()

    def __init__(self, theme: Theme, *, name: str, hint: str = "Filter   /") -> None:
        """`name` is for who cannot see it, `hint` stands in it while it is empty."""
        super().__init__()
        self._theme = theme
        self.setFont(theme.font())
        self.setPlaceholderText(hint)
        self.setAccessibleName(name)
        self.setFixedWidth(260)
        self._search = self.addAction(
            theme.icon("search"), QLineEdit.ActionPosition.LeadingPosition
        )
        self._clear = self.addAction(theme.icon("x"), QLineEdit.ActionPosition.TrailingPosition)
        self._clear.setToolTip("Clear the filter (Esc)")
        self._clear.setVisible(False)
        self._clear.triggered.connect(self.clear)
        self.textChanged.connect(lambda text: self._clear.setVisible(bool(text)))
        theme.changed.connect(self._tint)

    def enter(self) -> None:
        """The person wants to type; what stands there goes with the first key."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()

    def _tint(self) -> None:
        self._search.setIcon(self._theme.icon("search"))
        self._clear.setIcon(self._theme.icon("x"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key is Qt.Key.Key_Escape:
            self.clear()
            self.left.emit()
        elif key in {Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.left.emit()
        else:
            super().keyPressEvent(event)
