"""How a table cell is painted: words with room around, a drawing before them, a hairline below."""

from __future__ import annotations

import math

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from console.roles import CellRole
from console.theme import Theme

_PAD = 12
_ICON = 14
_BAR = 3


class CellDelegate(QStyledItemDelegate):
    """Paints every cell of a live table from the theme's colours."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        medium = QFont.Weight.Medium
        # By (selected, a number).
        self._fonts = {
            (strong, tabular): theme.font(
                weight=medium if strong else QFont.Weight.Normal, tabular=tabular
            )
            for strong in (False, True)
            for tabular in (False, True)
        }

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        text = str(index.data(Qt.ItemDataRole.DisplayRole) or "")
        width = option.fontMetrics.horizontalAdvance(text)
        icon = _ICON + 6 if index.data(CellRole.ICON) else 0
        return QSize(width + icon + 2 * _PAD, self._theme.tokens.size.row)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        painter.save()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        self._paint_ground(painter, option, index, selected=selected)
        self._paint_words(painter, option.rect, index, selected=selected)
        painter.restore()

    def _paint_ground(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
        *,
        selected: bool,
    ) -> None:
        rect: QRect = option.rect
        ground = self._ground(option, index, selected=selected)
        if ground is not None:
            colour = self._theme.colour(ground)
            # New rows must not look like the selected one.
            colour.setAlphaF(0.5 if ground == "accent_soft" else 1.0)
            painter.fillRect(rect, colour)
        painter.fillRect(
            QRect(rect.left(), rect.bottom(), rect.width(), 1), self._theme.colour("border")
        )
        if selected and index.column() == 0:
            active = bool(option.state & QStyle.StateFlag.State_Active)
            bar = "accent" if active else "border_strong"
            painter.fillRect(
                QRect(rect.left(), rect.top(), _BAR, rect.height()), self._theme.colour(bar)
            )

    @staticmethod
    def _ground(
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
        *,
        selected: bool,
    ) -> str | None:
        if selected:
            return "selection"
        if index.data(CellRole.FRESH):
            return "accent_soft"
        if option.state & QStyle.StateFlag.State_MouseOver:
            return "row_hover"
        return None

    def _paint_words(
        self,
        painter: QPainter,
        rect: QRect,
        index: QModelIndex | QPersistentModelIndex,
        *,
        selected: bool,
    ) -> None:
        space = rect.adjusted(_PAD, 0, -_PAD, -1)
        tone = index.data(CellRole.TONE)
        drawing = index.data(CellRole.ICON)
        dimmed = bool(index.data(CellRole.DIMMED))
        if drawing:
            own = index.data(CellRole.ICON_TONE)
            self._paint_icon(painter, space, str(drawing), str(own or tone or "text_muted"))
            space = space.adjusted(_ICON + 6, 0, 0, 0)
        alignment = _alignment(index)
        number = bool(alignment & Qt.AlignmentFlag.AlignRight)
        painter.setFont(self._fonts[selected and not tone, number])
        painter.setPen(self._pen(tone, dimmed=dimmed and not drawing))
        words = painter.fontMetrics().elidedText(
            str(index.data(Qt.ItemDataRole.DisplayRole) or ""),
            Qt.TextElideMode.ElideRight,
            space.width(),
        )
        painter.drawText(space, int(alignment), words)

    def _pen(self, tone: object, *, dimmed: bool) -> QColor:
        if dimmed:
            return self._theme.colour("text_muted")
        return self._theme.colour(str(tone) if tone else "text")

    def _paint_icon(self, painter: QPainter, space: QRect, name: str, tone: str) -> None:
        ratio = math.ceil(painter.device().devicePixelRatio())
        pixmap = self._theme.pixmap(name, tone, _ICON, ratio=ratio)
        painter.drawPixmap(space.left(), space.center().y() - _ICON // 2 + 1, pixmap)


def _alignment(index: QModelIndex | QPersistentModelIndex) -> Qt.AlignmentFlag:
    wanted = index.data(Qt.ItemDataRole.TextAlignmentRole)
    if isinstance(wanted, Qt.AlignmentFlag):
        return wanted
    return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
