"""`Noticing`: the tray icon, and which new payments it may tell of."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

from PySide6.QtWidgets import QApplication

from console.announcer import Announcer
from console.office import Office
from console.preferences import PreferenceFile
from console.runtime.throttle import timer_of
from console.theme import Theme
from console.tray import Tray, system_tray
from console.views.main_window import MainWindow


class Noticing:
    """Where the desktop has no tray it does nothing. `office` gives the open one, or None."""

    def __init__(
        self,
        theme: Theme,
        window: MainWindow,
        preferences: PreferenceFile,
        *,
        office: Callable[[], Office | None],
    ) -> None:
        self._theme = theme
        self._window = window
        self._preferences = preferences
        self._office = office
        self._tray: Tray | None = None

    @property
    def is_possible(self) -> bool:
        return self._tray is not None

    def start(self, *, quit_wanted: Callable[[], object]) -> None:
        """Show the icon; `quit_wanted` is called when somebody quits by it."""
        self._tray = tray = system_tray(self._theme, self._window)
        if tray is not None:
            tray.open_wanted.connect(self._open)
            tray.quit_wanted.connect(quit_wanted)

    def stop(self) -> None:
        if self._tray is not None:
            self._tray.hide()

    def new_announcer(self) -> Announcer | None:
        """For one office: it decides which payments are new to it."""
        if self._tray is None:
            return None
        return Announcer(
            self._tray.tell,
            is_wanted=self._is_wanted,
            clock=time.monotonic,
            later=timer_of(self._tray),
        )

    def _open(self, payment: UUID | None) -> None:
        self._window.bring_to_front()
        office = self._office()
        if office is not None and payment is not None:
            office.open_payment(payment)

    def _is_wanted(self) -> bool:
        signed_in = self._office() is not None
        in_use = QApplication.activeWindow() is not None
        return signed_in and not in_use and self._preferences.current.notify
