"""The icon in the desktop's tray: tells of new payments and brings the window back."""

from __future__ import annotations

from uuid import UUID

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QSystemTrayIcon, QWidget

from console.announcer import Notice
from console.theme import Theme

_TITLE = "Bursar"


class Tray(QSystemTrayIcon):
    """`open_wanted` carries the payment of the notification that was clicked, or None."""

    open_wanted = Signal(object)  # UUID or None
    quit_wanted = Signal()

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._theme = theme
        self._told: UUID | None = None
        self.menu = QMenu(window)
        self.open = self.menu.addAction("Open")
        self.quit = self.menu.addAction("Quit")
        self.open.triggered.connect(lambda _checked: self.open_wanted.emit(None))
        self.quit.triggered.connect(lambda _checked: self.quit_wanted.emit())
        self.setContextMenu(self.menu)
        self.setToolTip(_TITLE)
        self.messageClicked.connect(lambda: self.open_wanted.emit(self._told))
        self.activated.connect(self._activated)
        theme.changed.connect(self._tint)
        self._tint()

    def tell(self, notice: Notice) -> None:
        """Show a notification; a click on it asks for its payment."""
        self._told = notice.enrollment
        self.showMessage(_TITLE, notice.text, self.icon())

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is QSystemTrayIcon.ActivationReason.Trigger:
            self.open_wanted.emit(None)

    def _tint(self) -> None:
        self.setIcon(self._theme.icon("landmark", "accent", 32))


def system_tray(theme: Theme, window: QWidget) -> Tray | None:
    """The tray icon, shown; None where the desktop has no tray."""
    if not QSystemTrayIcon.isSystemTrayAvailable():
        return None
    tray = Tray(theme, window)
    tray.show()
    return tray
