"""Fixtures of the window tests; `conftest.py` takes them in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from console.office import Office
from console.runtime.tasks import TaskRunner
from console.theme import Theme
from console.theme_choice import ThemeChoice
from console.views.main_window import MainWindow
from core.client.connection import LIVE
from core.client.witness import WitnessState, WitnessStatus
from core.client.witness_file import WitnessAlarm
from core.protocol.messages import EnrollmentRow
from tests.console import samples
from tests.support.waiting import until
from tests.support.windows import dressed


@pytest.fixture(scope="session")
def theme(qapp: QApplication) -> Theme:
    """The one look of all window tests, light."""
    return Theme(qapp, ThemeChoice.LIGHT)


def witness_status(
    state: WitnessState = WitnessState.FOLLOWING,
    *,
    verified_to: int | None = 12_345,
    alarm: WitnessAlarm | None = None,
) -> WitnessStatus:
    return WitnessStatus(
        state=state,
        verified_to=verified_to,
        key_fingerprint="3f9a 11c2",
        root_devices=(),
        alarm=alarm,
        confirmed=0,
        unconfirmed=0,
    )


@dataclass
class OpenOffice:
    """A shown window over a desk that only notes what it is asked."""

    window: MainWindow
    office: Office
    desk: samples.FakeDesk
    errors: list[str]

    def bring(self, *rows: EnrollmentRow, snapshot: bool = False) -> None:
        """Rows come over the feed."""
        self.desk.know(rows)
        self.office.rows_came(rows, snapshot=snapshot)

    def press(self, key: Qt.Key, where: QWidget | None = None) -> None:
        """Press a key where the focus is in the office, or on `where`."""
        QTest.keyClick(where or self.office.pending.table, key)

    def type(self, text: str, where: QWidget) -> None:
        QTest.keyClicks(where, text)

    async def select(self, row: EnrollmentRow) -> None:
        """Select a row and wait for its history."""
        self.office.pending.table.setFocus()
        assert self.office.pending.table.select_key(row.enrollment)
        await until(lambda: row.enrollment in self.desk.asked, what="the history was asked for")


@pytest_asyncio.fixture
async def opened(theme: Theme) -> AsyncIterator[OpenOffice]:
    """An office in a window, live, verified, and empty."""
    errors: list[str] = []
    tasks = TaskRunner(lambda error, name: errors.append(f"{name}: {error!r}"))
    window, desk = dressed(theme), samples.FakeDesk()
    office = Office(theme, desk, window=window, tasks=tasks, clock=samples.clock)
    window.resize(1280, 800)
    window.show_page(office.shell)
    window.show()
    window.activateWindow()
    await until(window.isActiveWindow, what="keys reach the window")
    office.connection_changed(LIVE)
    office.witness_changed(witness_status())
    yield OpenOffice(window, office, desk, errors)
    await tasks.close()
    await desk.close()
    window.end()
    window.deleteLater()
    assert errors == []
