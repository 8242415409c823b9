"""What the window tells by itself: banners, notices, toasts, empty states."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from console.theme import Theme, set_look
from console.widgets.basic import Button, Icon, label, wrapped

_KINDS = {
    "info": ("info", "accent"),
    "ok": ("circle-check", "ok"),
    "warn": ("triangle-alert", "warn"),
    "danger": ("shield-alert", "danger"),
}
TOAST_MS = 6000


class Banner(QFrame):
    """A line across the top of the window: info, warn or danger; hidden while there is nothing."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._icon = Icon(theme, "info", "accent")
        self._words = wrapped(theme)
        self._action = Button(theme, "", on_click=self._act)
        self._on_action: Callable[[], object] | None = None
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 6, 12, 6)
        layout.setSpacing(10)
        layout.addWidget(self._icon)
        layout.addWidget(self._words, 1)
        layout.addWidget(self._action)
        self.hide()

    def tell(
        self,
        kind: str,
        text: str,
        *,
        action: str = "",
        on_action: Callable[[], object] | None = None,
    ) -> None:
        icon, tone = _KINDS[kind]
        set_look(self, f"banner-{kind}")
        self._icon.show_icon(icon, tone)
        self._words.setText(text)
        self._action.setText(action)
        self._action.setVisible(bool(action))
        self._on_action = on_action
        self.setAccessibleName(text)
        self.show()

    @property
    def text(self) -> str:
        """What it says, or nothing while it is hidden."""
        return "" if self.isHidden() else self._words.text()

    def _act(self) -> None:
        if self._on_action is not None:
            self._on_action()


class Notice(QFrame):
    """A boxed message inside a pane, with room for the way out below it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._icon = Icon(theme, "info", "accent")
        self._title = label(theme)
        self._title.setFont(theme.font(weight=600))
        self._title.setWordWrap(True)
        self._words = wrapped(theme)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        top.addWidget(self._title, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self._words)
        self.hide()

    def tell(self, kind: str, title: str, text: str) -> None:
        icon, tone = _KINDS[kind]
        set_look(self, f"notice-{'info' if kind == 'ok' else kind}")
        self._icon.show_icon(icon, tone)
        self._title.setText(title)
        self._words.setText(text)
        self._words.setVisible(bool(text))
        self.setAccessibleName(f"{title} {text}".strip())
        self.show()

    @property
    def text(self) -> str:
        """All that it says, or nothing while it is hidden."""
        return "" if self.isHidden() else self.accessibleName()


class EmptyState(QWidget):
    """One sentence and at most one action, in the middle of where rows would be."""

    def __init__(
        self,
        theme: Theme,
        *,
        icon: str,
        text: str,
        action: str = "",
        on_action: Callable[[], object] | None = None,
    ) -> None:
        super().__init__()
        self._icon = Icon(theme, icon, "text_muted", size=32)
        self._label = label(theme, text, look="muted", size="text")
        self._label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._label.setWordWrap(True)
        self._button = Button(theme, action, on_click=on_action)
        self._button.setVisible(bool(action))
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addStretch(2)
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self._label)
        layout.addWidget(self._button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)

    def tell(self, icon: str, text: str, *, action: bool) -> None:
        self._icon.show_icon(icon, "text_muted")
        self._label.setText(text)
        self._button.setVisible(action)

    def set_action(self, words: str) -> None:
        """What the action is called now."""
        self._button.setText(words)

    @property
    def text(self) -> str:
        return self._label.text()


class Toasts(QObject):
    """Short news over the window's lower edge. The newest replaces the one before; each goes alone.

    Screen readers hear them too.
    """

    def __init__(self, theme: Theme, parent: QWidget, *, left: Callable[[], int]) -> None:
        """`left` tells how far from the parent's left edge there is room."""
        super().__init__(parent)
        self._parent = parent
        self._left = left
        self._frame = QFrame(parent)
        self._frame.setProperty("look", "toast")
        self._icon = Icon(theme, "info", "accent")
        self._label: QLabel = label(theme)
        layout = QHBoxLayout(self._frame)
        layout.setContentsMargins(14, 10, 18, 10)
        layout.setSpacing(10)
        layout.addWidget(self._icon)
        layout.addWidget(self._label)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._frame.hide)
        self._frame.hide()

    def tell(self, kind: str, text: str) -> None:
        """Show `text` for some seconds; bad news stays twice as long."""
        icon, tone = _KINDS[kind]
        self._icon.show_icon(icon, tone)
        self._label.setText(text)
        self._frame.setAccessibleName(text)
        self._frame.adjustSize()
        self.place()
        self._frame.show()
        self._frame.raise_()
        self._timer.start(TOAST_MS if kind in {"info", "ok"} else 2 * TOAST_MS)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._frame, text))

    @property
    def text(self) -> str:
        """What is shown now, or nothing."""
        return "" if self._frame.isHidden() else self._label.text()

    def place(self) -> None:
        """Put it where it belongs: the parent or what is left of it has another size."""
        height = self._parent.height()
        self._frame.move(self._left(), height - self._frame.height() - 52)
