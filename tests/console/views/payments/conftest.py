"""An office over a till that is only told things."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QWidget

from console.office import Office
from console.runtime.dialogs import ConfirmDialog
from console.runtime.tasks import TaskRunner
from console.theme import Theme
from console.views.main_window import MainWindow
from console.views.payments.screen import PaymentsScreen
from console.views.payments.section import Section
from core.client.connection import LIVE
from core.domain.roles import Role
from tests.console import samples
from tests.console.fixtures import witness_status
from tests.console.till import FakeTill
from tests.support.waiting import until
from tests.support.windows import dressed

_Dialog = TypeVar("_Dialog", bound=QDialog)


@dataclass
class Counter:
    """The Payments screen, open on its first section."""

    window: MainWindow
    office: Office
    till: FakeTill

    @property
    def screen(self) -> PaymentsScreen:
        return self.office.paying.screen

    @property
    def section(self) -> Section[Any]:
        return self.screen.section

    async def open(self, name: str) -> Section[Any]:
        """A section, with its rows."""
        self.screen.open_section(name)
        await until(lambda: self.section._loaded and not self.section._loading, what=name)
        return self.section

    async def choose(self, key: UUID) -> None:
        section = self.section
        await until(lambda: section.model.record(key) is not None, what="the row")
        section.table.setFocus()
        assert section.table.select_key(key)

    def words(self, column: int = 0) -> list[str]:
        """A column of the section that is shown."""
        model = self.section.model
        return [str(model.index(row, column).data()) for row in range(model.rowCount())]

    def press(
        self,
        key: Qt.Key,
        where: QWidget | None = None,
        modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    ) -> None:
        QTest.keyClick(where or self.section.table, key, modifier)

    async def dialog(self, kind: type[_Dialog]) -> _Dialog:
        """The dialog of this kind, once it is open."""
        await until(lambda: self._dialog(kind), what=f"a {kind.__name__}")
        found = self._dialog(kind)
        assert found is not None
        return found

    async def gone(self, kind: type[QDialog]) -> None:
        await until(lambda: self._dialog(kind) is None, what=f"the {kind.__name__} gone")
        self.window.activateWindow()  # as a desktop does when a dialog has gone
        await until(self.window.isActiveWindow, what="keys reach the window")

    async def answer(self, *, yes: bool) -> None:
        question = await self.dialog(ConfirmDialog)
        (question.yes if yes else question.no).click()
        await self.gone(ConfirmDialog)

    async def result(self, words: str) -> None:
        """What came of it stands beside the table."""
        await until(lambda: words in self.section.pane.result.text, what=words)

    def _dialog(self, kind: type[_Dialog]) -> _Dialog | None:
        return next((d for d in self.window.findChildren(kind) if d.isVisible()), None)


Opener = Callable[..., AbstractAsyncContextManager[Counter]]


@pytest.fixture
def counter_of(theme: Theme) -> Opener:
    """`async with counter_of(*roles, fill=True) as counter`."""

    @asynccontextmanager
    async def open_counter(*roles: Role, fill: bool = True) -> AsyncIterator[Counter]:
        errors: list[str] = []
        tasks = TaskRunner(lambda error, name: errors.append(f"{name}: {error!r}"))
        window = dressed(theme)
        desk = samples.FakeDesk(entered=samples.entered(roles=roles or (Role.OFFICER,)))
        if fill:
            desk.payments.fill()
        office = Office(theme, desk, window=window, tasks=tasks, clock=samples.clock)
        window.resize(1280, 800)
        window.show_page(office.shell)
        window.show()
        window.activateWindow()
        await until(window.isActiveWindow, what="keys reach the window")
        office.connection_changed(LIVE)
        office.witness_changed(witness_status())
        office.commands.trigger("open payments")
        counter = Counter(window, office, desk.payments)
        try:
            await counter.open("Attempts")
            yield counter
        finally:
            await tasks.close()
            await desk.close()
            window.end()
            window.deleteLater()
        assert errors == []

    return open_counter
