"""`Administering`: the Administration screen, for those who may see it, and what it is told."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from console.views.administration.page import Bench
from console.views.administration.screen import AdministrationScreen
from console.views.shell import Screen, Shell


class Administering(QObject):
    """`bench` None: somebody who is no administrator; then there is no screen and no news."""

    waiting_changed = Signal()

    def __init__(self, bench: Bench | None, parent: QObject) -> None:
        super().__init__(parent)
        self.waiting = 0
        """How many consoles wait to be enrolled."""
        self.screen = None if bench is None else AdministrationScreen(bench)
        if self.screen is not None:
            self.screen.waiting_changed.connect(self._waiting)

    def screens(self, shortcut: str) -> tuple[Screen, ...]:
        """Its entry in the rail."""
        if self.screen is None:
            return ()
        return (Screen("administration", "Administration", "users", shortcut, self.screen),)

    def news(self) -> None:
        """Users, devices, courses or the workspace changed."""
        if self.screen is not None:
            self.screen.news()

    def show_requests(self, shell: Shell) -> None:
        """Go to the consoles that wait."""
        if self.screen is not None and shell.open("administration"):
            self.screen.open_page("Devices")

    def add_commands(self, add: Callable[..., None], *, enter_code: Callable[[], None]) -> None:
        """For the palette: `add(name, words, run)`."""
        if self.screen is not None:
            add("enter code", "Enroll this console with a one-time code…", enter_code)

    def _waiting(self, count: int) -> None:
        self.waiting = count
        self.waiting_changed.emit()
