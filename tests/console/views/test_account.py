"""One's own account in Settings: password, sessions, and what is refused told in place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from console.runtime.tasks import TaskRunner
from console.theme import Theme
from console.views.account import Account, PasswordChangeDialog
from core.client.errors import UnreachableError
from tests.console import samples
from tests.console.house import FakeAccount
from tests.support.waiting import until


@dataclass
class Corner:
    account: Account
    port: FakeAccount
    window: QWidget
    told: list[str]

    async def dialog(self) -> PasswordChangeDialog:
        self.account.change_password.click()
        await until(lambda: self.window.findChild(PasswordChangeDialog), what="the dialog")
        found = self.window.findChild(PasswordChangeDialog)
        assert found is not None
        return found


@pytest_asyncio.fixture
async def corner(theme: Theme) -> AsyncIterator[Corner]:
    errors: list[str] = []
    told: list[str] = []
    tasks = TaskRunner(lambda error, name: errors.append(f"{name}: {error!r}"))
    window, port = QWidget(), FakeAccount()
    account = Account(
        theme, port, window=window, tasks=tasks, clock=samples.clock,
        tell=lambda _kind, text: told.append(text),
    )  # fmt: skip
    account.view.setParent(window)
    account.change_password.setParent(window)
    window.show()
    yield Corner(account, port, window, told)
    await tasks.close()
    window.close()
    window.deleteLater()
    assert errors == []


async def test_where_one_is_signed_in_this_one_marked_and_first(corner: Corner) -> None:
    corner.account.refresh()
    await until(lambda: corner.account.view.end_buttons, what="the sessions")
    assert len(corner.account.view.end_buttons) == 2  # this one has none
    corner.account.view.end_buttons[0].click()
    await until(lambda: len(corner.account.view.end_buttons) == 1, what="one less")
    corner.account.view.end_all.click()
    await until(lambda: not corner.account.view.end_buttons, what="only this one")
    assert not corner.account.view.end_all.isEnabled()
    assert corner.port.done == ["end 8001", "end others"]


async def test_a_failure_is_told(corner: Corner) -> None:
    corner.port.problem = UnreachableError("The backend cannot be reached.")
    corner.account.refresh()
    await until(lambda: "cannot be reached" in corner.account.view.words.text(), what="the reason")
    corner.account.refresh()
    await until(lambda: corner.account.view.end_buttons, what="the sessions")
    corner.port.problem = UnreachableError("The backend cannot be reached.")
    corner.account.view.end_all.click()
    await until(lambda: corner.told == ["The backend cannot be reached."], what="the reason")


async def test_the_password_is_changed_by_keyboard(corner: Corner) -> None:
    dialog = await corner.dialog()
    QTest.keyClicks(dialog.old, "the old password")
    QTest.keyClicks(dialog.new, "a fresh password")
    QTest.keyClicks(dialog.again, "a fresh password")
    QTest.keyClick(dialog.again, Qt.Key.Key_Return)
    await until(lambda: corner.told == ["Your password is changed."], what="the news")
    assert corner.port.done == ["the old password -> a fresh password"]


@pytest.mark.parametrize(
    ("old", "new", "again", "words"),
    [
        ("", "a fresh password", "a fresh password", "until now"),
        ("the old password", "short", "short", "at least 8"),
        ("the same password", "the same password", "the same password", "another one"),
        ("the old password", "a fresh password", "a fresh passwort", "differ"),
    ],
)
async def test_what_is_wrong_with_a_password_is_named(
    corner: Corner, old: str, new: str, again: str, words: str
) -> None:
    dialog = await corner.dialog()
    for edit, text in ((dialog.old, old), (dialog.new, new), (dialog.again, again)):
        edit.setText(text)
    dialog.ok.click()
    assert words in dialog.notice.text
    assert corner.port.done == []
    dialog.reject()


async def test_nothing_is_sent_twice_and_nothing_closes_while_waiting(corner: Corner) -> None:
    dialog = await corner.dialog()
    dialog.old.setText("the old password")
    dialog.new.setText("a fresh password")
    dialog.again.setText("a fresh password")
    dialog.ok.click()
    dialog.submit()
    dialog.reject()
    assert dialog.isVisible()
    await until(lambda: corner.port.done, what="the change")
    await until(lambda: corner.told, what="the news")
    assert len(corner.port.done) == 1
