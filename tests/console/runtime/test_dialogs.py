"""Dialogs are futures: other tasks go on while one is open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from console.runtime.dialogs import ConfirmDialog, confirm
from tests.support.waiting import until


@pytest.fixture
def parent() -> Iterator[QWidget]:
    widget = QWidget()
    widget.show()
    yield widget
    widget.close()
    widget.deleteLater()


async def ask(parent: QWidget, *, danger: bool = False) -> tuple[ConfirmDialog, asyncio.Task[bool]]:
    task = asyncio.create_task(
        confirm(parent, title="Close?", text="Really.", yes="Close now", no="Wait", danger=danger)
    )
    await until(lambda: parent.findChild(ConfirmDialog), what="the dialog")
    dialog = parent.findChild(ConfirmDialog)
    assert dialog is not None
    return dialog, task


async def test_yes_and_no(parent: QWidget) -> None:
    dialog, task = await ask(parent)
    assert dialog.yes.text() == "Close now"
    dialog.yes.click()
    assert await task is True
    await until(lambda: parent.findChild(ConfirmDialog) is None)
    dialog, task = await ask(parent)
    dialog.no.click()
    assert await task is False


async def test_escape_means_no(parent: QWidget) -> None:
    dialog, task = await ask(parent)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert await task is False


async def test_enter_takes_the_safe_answer_where_the_other_is_dangerous(parent: QWidget) -> None:
    dialog, task = await ask(parent, danger=True)
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert await task is False


async def test_cancelling_the_task_closes_the_dialog(parent: QWidget) -> None:
    _, task = await ask(parent)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: parent.findChild(ConfirmDialog) is None, what="the dialog is gone")
