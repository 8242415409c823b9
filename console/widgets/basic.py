"""Labels, lines, icons and buttons: the smallest parts, styled by the style sheet."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import MappingProxyType

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QToolButton,
    QWidget,
)

from console.theme import Theme, set_look


def label(theme: Theme, text: str = "", *, look: str = "", size: str = "text") -> QLabel:
    """A line of words; `size` is text, heading or title."""
    made = QLabel(text)
    heavy = QFont.Weight.Normal if size == "text" else QFont.Weight.DemiBold
    made.setFont(theme.font(size, weight=heavy))
    made.setTextFormat(Qt.TextFormat.PlainText)
    if look:
        made.setProperty("look", look)
    return made


def wrapped(theme: Theme, text: str = "", *, look: str = "", size: str = "text") -> QLabel:
    """The same over as many lines as it needs."""
    made = label(theme, text, look=look, size=size)
    made.setWordWrap(True)
    made.setMinimumWidth(1)
    return made


def centred(card: QWidget) -> QHBoxLayout:
    """A card of fixed width in the middle; its height follows from its words."""
    row = QHBoxLayout()
    row.addStretch(1)
    row.addWidget(card)
    row.addStretch(1)
    return row


def line() -> QFrame:
    """A hairline across."""
    made = QFrame()
    made.setProperty("look", "line")
    made.setFixedHeight(1)
    return made


class ElidedLabel(QLabel):
    """One line of words that ends in `…` where space ends; the tooltip has all of it."""

    def __init__(self, theme: Theme, text: str = "", *, look: str = "", size: str = "text") -> None:
        super().__init__()
        heavy = QFont.Weight.Normal if size == "text" else QFont.Weight.DemiBold
        self.setFont(theme.font(size, weight=heavy))
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        if look:
            self.setProperty("look", look)
        self._full = ""
        self.set_text(text)

    def set_text(self, text: str) -> None:
        self._full = text
        self.setAccessibleName(text)
        self._elide()

    @property
    def full_text(self) -> str:
        return self._full

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        metrics = self.fontMetrics()
        shown = metrics.elidedText(self._full, Qt.TextElideMode.ElideRight, self.width())
        self.setText(shown)
        self.setToolTip(self._full if shown != self._full else "")


class Icon(QWidget):
    """A drawing in one token's colour, sharp at every screen density."""

    def __init__(
        self, theme: Theme, name: str, colour: str = "text_muted", *, size: int = 16
    ) -> None:
        super().__init__()
        self._theme = theme
        self._size = size
        self._name, self._colour = name, colour
        self.setFixedSize(size, size)
        theme.changed.connect(self.update)

    def show_icon(self, name: str, colour: str) -> None:
        self._name, self._colour = name, colour
        self.update()

    @property
    def shown(self) -> tuple[str, str]:
        """The drawing's name and its colour's."""
        return self._name, self._colour

    def paintEvent(self, _event: QPaintEvent) -> None:
        ratio = math.ceil(self.devicePixelRatioF())
        painter = QPainter(self)
        painter.drawPixmap(
            0, 0, self._theme.pixmap(self._name, self._colour, self._size, ratio=ratio)
        )
        painter.end()


_BADGE, _BADGE_TEXT = 18, 12
# The colour of words and icon on a filled button.
_LOOK_TEXT = MappingProxyType({"primary": "accent_text", "danger": "danger_text"})


class Button(QPushButton):
    """A push button with a look, perhaps an icon, and perhaps its shortcut shown at the right."""

    def __init__(
        self,
        theme: Theme,
        text: str,
        *,
        look: str = "",
        icon: str = "",
        hint: str = "",
        on_click: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(f" {text}" if icon and text else text)
        self._theme = theme
        self._icon_name = icon
        self._hint = hint
        weight = QFont.Weight.Medium if look in _LOOK_TEXT else QFont.Weight.Normal
        self.setFont(theme.font(weight=weight))
        self.setIconSize(QSize(16, 16))
        set_look(self, look)
        if on_click is not None:
            self.clicked.connect(lambda _checked: on_click())
        theme.changed.connect(self._tint)
        self._tint()

    def set_icon(self, name: str) -> None:
        self._icon_name = name
        self._tint()

    @property
    def hint(self) -> str:
        """The shortcut shown on the button."""
        return self._hint

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(hint.width() + self._hint_width(), hint.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._hint:
            super().paintEvent(event)
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        painter = QStylePainter(self)
        painter.drawControl(QStyle.ControlElement.CE_PushButtonBevel, option)
        # The words keep clear of the key at the right.
        left = 12 if self.property("look") == "choice" else 0
        option.rect = option.rect.adjusted(left, 0, -self._hint_width(), 0)
        painter.drawControl(QStyle.ControlElement.CE_PushButtonLabel, option)
        self._paint_hint(painter)
        painter.end()

    def _paint_hint(self, painter: QPainter) -> None:
        width = self._hint_width() - 6
        box = QRectF(self.width() - width - 8, (self.height() - 20) / 2, width, 20)
        colour = QColor(self._text_colour())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._theme.font())
        edge = QColor(colour)
        edge.setAlphaF(0.45)
        painter.setPen(QPen(edge, 1))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.setPen(colour)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._hint)

    def _hint_width(self) -> int:
        return self.fontMetrics().horizontalAdvance(self._hint) + 18 if self._hint else 0

    def _text_colour(self) -> str:
        token = _LOOK_TEXT.get(str(self.property("look")), "text")
        return str(getattr(self._theme.colours, token if self.isEnabled() else "text_muted"))

    def _tint(self) -> None:
        token = _LOOK_TEXT.get(str(self.property("look")), "text_muted")
        self.setIcon(self._theme.icon(self._icon_name, token) if self._icon_name else QIcon())


class IconButton(QToolButton):
    """A button that is only a drawing: its name is its tooltip and what a screen reader says."""

    def __init__(
        self,
        theme: Theme,
        icon: str,
        name: str,
        *,
        on_click: Callable[[], object] | None = None,
    ) -> None:
        super().__init__()
        self._theme = theme
        self._icon_name = icon
        self.setIconSize(QSize(16, 16))
        self.setToolTip(name)
        self.setAccessibleName(name)
        if on_click is not None:
            self.clicked.connect(lambda _checked: on_click())
        theme.changed.connect(self._tint)
        self._tint()

    def set_icon(self, icon: str) -> None:
        self._icon_name = icon
        self._tint()

    def _tint(self) -> None:
        self.setIcon(self._theme.icon(self._icon_name, "text_muted"))


class RailButton(QPushButton):
    """One screen in the rail: icon and word; `set_compact` leaves the icon alone."""

    def __init__(self, theme: Theme, *, icon: str, text: str, shortcut: str = "") -> None:
        super().__init__(text)
        self._theme = theme
        self._icon_name, self._text, self._shortcut = icon, text, shortcut
        self.setCheckable(True)
        self.setFont(theme.font(weight=QFont.Weight.Medium))
        self.setIconSize(QSize(18, 18))
        self.setProperty("look", "rail")
        self.setAccessibleName(text)
        self.toggled.connect(self._tint)
        theme.changed.connect(self._tint)
        self._badge = ""
        self.set_compact(compact=False)
        self._tint()

    def set_compact(self, *, compact: bool) -> None:
        self.setText("" if compact else f"  {self._text}")
        with_key = f"{self._text} ({self._shortcut})" if self._shortcut else self._text
        self.setToolTip(with_key)

    def set_badge(self, text: str, spoken: str = "") -> None:
        """A short figure in the corner, or none; `spoken` is what a screen reader says of it."""
        self._badge = text
        self.setAccessibleName(f"{self._text}, {spoken}" if spoken else self._text)
        self.update()

    @property
    def badge(self) -> str:
        return self._badge

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._badge:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = self._theme.font(weight=QFont.Weight.Medium, tabular=True)
        font.setPixelSize(_BADGE_TEXT)
        painter.setFont(font)
        width = max(_BADGE, painter.fontMetrics().horizontalAdvance(self._badge) + 8)
        top = 2 if not self.text() else (self.height() - _BADGE) / 2
        box = QRectF(self.width() - width - (2 if not self.text() else 10), top, width, _BADGE)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("danger"))
        painter.drawRoundedRect(box, _BADGE / 2, _BADGE / 2)
        painter.setPen(self._theme.colour("danger_text"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._badge)
        painter.end()

    def _tint(self) -> None:
        colour = "accent" if self.isChecked() else "text_muted"
        self.setIcon(self._theme.icon(self._icon_name, colour, 18))


class Pill(QFrame):
    """A state as an icon and a word."""

    def __init__(self, theme: Theme, icon: str, text: str, tone: str = "text_muted") -> None:
        super().__init__()
        self._icon = Icon(theme, icon, tone, size=14)
        self._label = label(theme, text)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self._icon)
        layout.addWidget(self._label)
        self.show_state(icon, text, tone)

    def show_state(self, icon: str, text: str, tone: str, tooltip: str = "") -> None:
        """`tone` is a token's name; muted words stay muted, others keep the text's own colour."""
        self._icon.show_icon(icon, tone)
        self._label.setText(text)
        set_look(self._label, {"warn": "warn", "danger": "danger"}.get(tone, "muted"))
        self.setToolTip(tooltip)
        self.setAccessibleName(text)

    @property
    def text(self) -> str:
        return self._label.text()

    @property
    def icon(self) -> tuple[str, str]:
        """The drawing's name and its colour's."""
        return self._icon.shown


def key_hint(theme: Theme, keys: str) -> QLabel:
    """A shortcut drawn as a key."""
    return label(theme, keys, look="key")
