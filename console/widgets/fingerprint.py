"""A key's fingerprint in large groups, made to be read out and compared by voice."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QGuiApplication
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from console.theme import Theme
from console.widgets.basic import IconButton

_PER_LINE = 4


class Fingerprint(QFrame):
    """Groups of four digits, four to a line; one button copies all of it."""

    def __init__(self, theme: Theme, text: str = "") -> None:
        super().__init__()
        self.setProperty("look", "sunken")
        self._theme = theme
        self._text = ""
        self._groups: list[QLabel] = []
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(20)
        self._grid.setVerticalSpacing(4)
        self._copy = IconButton(theme, "copy", "Copy the fingerprint", on_click=self._copy_text)
        words = QWidget()
        column = QVBoxLayout(words)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._grid)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 10, 10, 10)
        layout.setSpacing(16)
        layout.addWidget(words)
        layout.addStretch(1)
        layout.addWidget(self._copy, 0, Qt.AlignmentFlag.AlignTop)
        self.show_text(text)

    @property
    def text(self) -> str:
        return self._text

    def show_text(self, text: str) -> None:
        """`text` is the fingerprint as written everywhere: groups with spaces between."""
        self._text = text
        groups = text.split()
        while len(self._groups) < len(groups):
            self._add_group()
        for number, shown in enumerate(self._groups):
            shown.setText(groups[number] if number < len(groups) else "")
        self._copy.setEnabled(bool(groups))
        self.setAccessibleName(f"Fingerprint {text}")

    def _add_group(self) -> None:
        made = QLabel()
        made.setTextFormat(Qt.TextFormat.PlainText)
        made.setFont(self._theme.font("title", weight=QFont.Weight.DemiBold, tabular=True))
        number = len(self._groups)
        self._grid.addWidget(made, number // _PER_LINE, number % _PER_LINE)
        self._groups.append(made)

    def _copy_text(self) -> None:
        QGuiApplication.clipboard().setText(self._text)
