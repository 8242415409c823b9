"""`StateButton`: a state as an icon and words; a click leads to where one can act on it."""

from __future__ import annotations

from types import MappingProxyType

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QPushButton

from console.theme import Theme, set_look

_LOOKS = MappingProxyType({"warn": "state-warn", "danger": "state-danger"})
_ICON, _GAP = 14, 4
_RATIOS = (1, 2, 3)


class StateButton(QPushButton):
    """Looks like a `Pill`, with a key's focus and a pointing hand."""

    def __init__(self, theme: Theme, icon: str, text: str, tone: str = "text_muted") -> None:
        super().__init__()
        self._theme = theme
        self._drawing = (icon, tone)
        self.setFont(theme.font())
        self.setIconSize(QSize(_ICON + _GAP, _ICON))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme.changed.connect(self._tint)
        self.show_state(icon, text, tone)

    def show_state(self, icon: str, text: str, tone: str, tooltip: str = "") -> None:
        """`tone` is a token's name; muted words stay muted, warnings have their own colour."""
        self._drawing = (icon, tone)
        self.setText(text)
        self.setAccessibleName(text)
        self.setToolTip(tooltip)
        set_look(self, _LOOKS.get(tone, "state"))
        self._tint()

    @property
    def drawing(self) -> tuple[str, str]:
        """The drawing's name and its colour's."""
        return self._drawing

    def _tint(self) -> None:
        name, tone = self._drawing
        icon = QIcon()
        for ratio in _RATIOS:
            icon.addPixmap(self._padded(self._theme.pixmap(name, tone, _ICON, ratio=ratio), ratio))
        self.setIcon(icon)

    @staticmethod
    def _padded(drawing: QPixmap, ratio: int) -> QPixmap:
        """With room at its right: the gap that Qt leaves before the words is too small."""
        padded = QPixmap((_ICON + _GAP) * ratio, _ICON * ratio)
        padded.setDevicePixelRatio(ratio)
        padded.fill(Qt.GlobalColor.transparent)
        painter = QPainter(padded)
        painter.drawPixmap(0, 0, drawing)
        painter.end()
        return padded
