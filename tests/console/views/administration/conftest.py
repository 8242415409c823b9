"""An administrator's office over a house that is only told things."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QWidget

from console.office import Office
from console.runtime.dialogs import ConfirmDialog
from console.runtime.tasks import TaskRunner
from console.theme import Theme
from console.views.administration.screen import AdministrationScreen
from console.views.main_window import MainWindow
from core.client.connection import LIVE
from core.domain.roles import Role
from tests.console import samples
from tests.console.fixtures import witness_status
from tests.console.house import FakeHouse
from tests.support.waiting import until
from tests.support.windows import dressed


@dataclass
class Bureau:
    """The Administration screen, open on its first page."""

    window: MainWindow
    office: Office
    screen: AdministrationScreen
    house: FakeHouse

    @property
    def told(self) -> str:
        """The newest words that were told in passing."""
        return self.office.shell.toasts.text

    async def dialog(self, kind: type[QDialog]) -> QDialog:
        """The dialog of this kind, once it is open."""
        await until(lambda: self._open(kind), what=f"a {kind.__name__}")
        found = self._open(kind)
        assert found is not None
        return found

    async def gone(self, kind: type[QDialog]) -> None:
        await until(lambda: self._open(kind) is None, what=f"the {kind.__name__} gone")

    async def answer(self, *, yes: bool = True) -> None:
        """Answer the question that is open."""
        question = await self.dialog(ConfirmDialog)
        assert isinstance(question, ConfirmDialog)
        (question.yes if yes else question.no).click()
        await self.gone(ConfirmDialog)

    def press(self, key: Qt.Key, where: QWidget) -> None:
        QTest.keyClick(where, key)

    def _open(self, kind: type[QDialog]) -> QDialog | None:
        return next((d for d in self.window.findChildren(kind) if d.isVisible()), None)


@pytest_asyncio.fixture
async def bureau(theme: Theme) -> AsyncIterator[Bureau]:
    errors: list[str] = []
    tasks = TaskRunner(lambda error, name: errors.append(f"{name}: {error!r}"))
    window = dressed(theme)
    desk = samples.FakeDesk(entered=samples.entered(demo=False, roles=(Role.ADMINISTRATOR,)))
    office = Office(theme, desk, window=window, tasks=tasks, clock=samples.clock)
    window.resize(1280, 800)
    window.show_page(office.shell)
    window.show()
    window.activateWindow()
    await until(window.isActiveWindow, what="keys reach the window")
    office.connection_changed(LIVE)
    office.witness_changed(witness_status())
    assert office.shell.open("administration")
    screen = office.administering.screen
    assert screen is not None
    await until(lambda: screen.users.model.count, what="the users")
    yield Bureau(window, office, screen, desk.administration)
    await tasks.close()
    await desk.close()
    window.end()
    window.deleteLater()
    assert errors == []
