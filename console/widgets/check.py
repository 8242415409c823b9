"""A box to tick, drawn from the theme: the style's own can hardly be seen on dark ground."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox

from console.theme import Theme

_BOX = 18
_GAP = 8


class CheckBox(QCheckBox):
    """Box and words; the focus is a ring around the box."""

    def __init__(self, theme: Theme, text: str) -> None:
        super().__init__(text)
        self._theme = theme
        self.setFont(theme.font())
        self.setAccessibleName(text)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        width = self.fontMetrics().horizontalAdvance(self.text())
        return QSize(_BOX + _GAP + width + 2, max(_BOX + 6, self.fontMetrics().height()))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        top = (self.height() - _BOX) / 2
        self._paint_box(painter, QRectF(1, top, _BOX, _BOX))
        painter.setFont(self.font())
        painter.setPen(self._theme.colour("text" if self.isEnabled() else "text_muted"))
        words = QRectF(_BOX + _GAP, 0, self.width() - _BOX - _GAP, self.height())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, self.text())
        painter.end()

    def _paint_box(self, painter: QPainter, box: QRectF) -> None:
        filled = self.isChecked() and self.isEnabled()
        edge = "focus" if self.hasFocus() else "accent" if filled else "border_strong"
        ground = "accent" if filled else "surface_raised" if self.isEnabled() else "surface"
        painter.setPen(QPen(self._theme.colour(edge), 2 if self.hasFocus() else 1))
        painter.setBrush(self._theme.colour(ground))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        if self.isChecked():
            ratio = math.ceil(self.devicePixelRatioF())
            tone = "accent_text" if filled else "text_muted"
            mark = self._theme.pixmap("check", tone, 14, ratio=ratio)
            painter.drawPixmap(int(box.left()) + 2, int(box.top()) + 2, mark)
