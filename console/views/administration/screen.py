"""The Administration screen: four pages behind four buttons."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QStackedWidget,
    QWidget,
)

from console.views.administration.courses import CoursesPage
from console.views.administration.devices import DevicesPage
from console.views.administration.page import Bench
from console.views.administration.users import UsersPage
from console.views.administration.workspace import WorkspacePage
from console.widgets.basic import Button, label
from console.widgets.frames import edge_to_edge

Page = UsersPage | DevicesPage | CoursesPage | WorkspacePage
_NAMES = (("Users", "users"), ("Devices", "fingerprint"), ("Courses", "graduation-cap"),
          ("Workspace", "landmark"))  # fmt: skip


class AdministrationScreen(QWidget):
    """Each page fetches when it is opened, and again when the ledger tells that it changed."""

    waiting_changed = Signal(int)
    """How many consoles wait to be enrolled."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench
        self.users = UsersPage(bench)
        self.devices = DevicesPage(bench)
        self.courses = CoursesPage(bench)
        self.workspace = WorkspacePage(bench)
        self._pages: tuple[Page, ...] = (self.users, self.devices, self.courses, self.workspace)
        self._stack = QStackedWidget()
        self.tabs = QButtonGroup(self)
        self._build()
        self.tabs.idClicked.connect(self._open)
        self.devices.waiting_changed.connect(self._waiting)
        self._add_commands()

    def open_page(self, name: str) -> None:
        """By its words: Users, Devices, Courses or Workspace."""
        self._open([words for words, _ in _NAMES].index(name))

    def news(self) -> None:
        """Users, devices, courses or the workspace changed: fetch what is on the screen.

        Requests of consoles are fetched in any case: somebody waits for the answer.
        """
        page = self._pages[self._stack.currentIndex()]
        if self.isVisible():
            page.refresh()
        if page is not self.devices or not self.isVisible():
            self.devices.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._pages[self._stack.currentIndex()].refresh()

    def _open(self, number: int) -> None:
        self.tabs.button(number).setChecked(True)
        self._stack.setCurrentIndex(number)
        page = self._pages[number]
        self.setFocusProxy(page)
        page.setFocus()
        if self.isVisible():
            page.refresh()

    def _waiting(self, count: int) -> None:
        words = f"Devices ({count} waiting)" if count else "Devices"
        self.tabs.button(1).setText(f" {words}")
        self.tabs.button(1).setAccessibleName(words)
        self.waiting_changed.emit(count)

    def _add_commands(self) -> None:
        for number, (name, _) in enumerate(_NAMES):
            self._bench.commands.add(
                f"administration {name.lower()}",
                f"Administration: {name}",
                partial(self._open, number),
                owner=self,
                group="Administration",
                keys=(f"Alt+{number + 1}",),
            )

    def _build(self) -> None:
        theme = self._bench.theme
        bar = QFrame()
        bar.setProperty("look", "toolbar")
        row = QHBoxLayout(bar)
        row.setContentsMargins(20, 10, 12, 10)
        row.setSpacing(4)
        title = label(theme, "Administration", size="title")
        row.addWidget(title)
        row.addSpacing(20)
        for number, (words, icon) in enumerate(_NAMES):
            tab = Button(theme, words, look="quiet", icon=icon)
            tab.setCheckable(True)
            tab.setAccessibleName(words)
            tab.setToolTip(f"{words} (Alt+{number + 1})")
            self.tabs.addButton(tab, number)
            row.addWidget(tab)
        row.addStretch(1)
        self.tabs.button(0).setChecked(True)
        self.setFocusProxy(self.users)
        for page in self._pages:
            self._stack.addWidget(page)
        edge_to_edge(self, bar, self._stack, grows=self._stack)
