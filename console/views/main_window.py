"""The window itself: shows one page at a time and asks before it closes.

Imports only what is needed to paint; everything heavy, the theme too, comes after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QColor, QPalette
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QWidget

if TYPE_CHECKING:
    from console.theme import Theme

MINIMUM = QSize(960, 600)
USUAL = QSize(1440, 900)


class MainWindow(QMainWindow):
    """`close_wanted` comes when a person closes it; it stays until `end`.

    Bare at first, in one colour at most; `wear` gives it its look.
    """

    close_wanted = Signal()

    def __init__(self, colour: str | None = None) -> None:
        super().__init__()
        self._ending = False
        self._theme: Theme | None = None
        if colour is not None:
            self.setPalette(QPalette(QColor(colour)))
        self._pages = QStackedWidget()
        self.setCentralWidget(self._pages)
        self.setWindowTitle("Bursar")
        self.setMinimumSize(MINIMUM)
        self.resize(USUAL)

    def wear(self, theme: Theme) -> None:
        """The look from now on."""
        self._theme = theme
        self.setPalette(QPalette())  # the application's, which follows the theme
        self._tint()
        theme.changed.connect(self._tint)

    def show_page(self, page: QWidget) -> None:
        """Bring a page to the front; it is kept from then on."""
        if self._pages.indexOf(page) < 0:
            self._pages.addWidget(page)
        self._pages.setCurrentWidget(page)

    def drop_page(self, page: QWidget) -> None:
        """A page that is not needed any more."""
        self._pages.removeWidget(page)
        page.deleteLater()

    def bring_to_front(self) -> None:
        """Out of the background and out of the task bar, as far as the desktop lets a program."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    @property
    def page(self) -> QWidget | None:
        return self._pages.currentWidget()

    def end(self) -> None:
        """Close without asking."""
        self._ending = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._ending:
            event.accept()
            return
        event.ignore()
        self.close_wanted.emit()

    def _tint(self) -> None:
        if self._theme is not None:
            self.setWindowIcon(self._theme.icon("landmark", "accent", 32))
