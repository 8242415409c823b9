"""Users: added, changed, disabled, signed out, all by keyboard too, and refusals told in place."""

from __future__ import annotations

from uuid import UUID

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from console.views.administration.user_dialogs import (
    PasswordDialog,
    RolesDialog,
    UserDialog,
    UserSessionsDialog,
)
from core.client.errors import UnreachableError
from tests.console.house import MADE_UP, ME
from tests.console.views.administration.conftest import Bureau
from tests.support.waiting import until

Key = Qt.Key
THABO = UUID(int=21)


def words(bureau: Bureau, user: UUID) -> list[str]:
    """The cells of one line as they are shown."""
    model = bureau.screen.users.model
    row = model.row_of(user)
    assert row is not None
    return [str(model.index(row, column).data()) for column in range(model.columnCount())]


async def test_everybody_is_listed_with_roles_and_state(bureau: Bureau) -> None:
    assert words(bureau, THABO)[2:4] == ["Officer", "1"]
    assert words(bureau, THABO)[5] == "Signed in"
    assert words(bureau, UUID(int=25))[5] == "Disabled"
    assert words(bureau, UUID(int=26))[4:] == ["never", "Password due"]
    assert bureau.screen.users.table.hasFocus()


async def test_a_user_is_added_by_keyboard_and_the_password_shown_once(bureau: Bureau) -> None:
    page = bureau.screen.users
    bureau.press(Key.Key_N, page.table)
    dialog = await bureau.dialog(UserDialog)
    assert isinstance(dialog, UserDialog)
    bureau.press(Key.Key_Return, dialog.name)
    assert "name" in dialog.notice.text
    QTest.keyClicks(dialog.name, "Lerato Nkosi")
    QTest.keyClicks(dialog.email, "lerato at work")
    bureau.press(Key.Key_Return, dialog.email)
    assert "email" in dialog.notice.text
    dialog.email.setText("lerato@example.org")
    bureau.press(Key.Key_Space, dialog.boxes[0])  # the officer's box was ticked
    bureau.press(Key.Key_Return, dialog.email)
    assert "role" in dialog.notice.text
    bureau.press(Key.Key_Space, dialog.boxes[1])
    bureau.press(Key.Key_Return, dialog.email)
    shown = await bureau.dialog(PasswordDialog)
    assert isinstance(shown, PasswordDialog)
    assert shown.shown.text() == MADE_UP
    shown.copy.click()
    assert QGuiApplication.clipboard().text() == MADE_UP
    bureau.press(Key.Key_Return, shown.passed_on)
    await bureau.gone(PasswordDialog)
    assert bureau.house.done == ["add Lerato Nkosi lerato@example.org supervisor"]
    await until(lambda: page.selected and page.selected.name == "Lerato Nkosi", what="the new row")


async def test_a_refusal_is_told_in_the_dialog_which_stays(bureau: Bureau) -> None:
    page = bureau.screen.users
    page.table.select_key(THABO)
    bureau.press(Key.Key_R, page.table)
    dialog = await bureau.dialog(RolesDialog)
    assert isinstance(dialog, RolesDialog)
    bureau.house.problem = UnreachableError("The backend cannot be reached.")
    dialog.ok.click()
    await until(lambda: "cannot be reached" in dialog.notice.text, what="the reason")
    assert dialog.ok.isEnabled()
    dialog.boxes[1].click()
    dialog.ok.click()
    await bureau.gone(RolesDialog)
    assert bureau.house.done == ["roles 21 officer+supervisor"]
    await until(lambda: words(bureau, THABO)[2] == "Officer, Supervisor", what="the new roles")


async def test_disabling_asks_first_and_can_be_undone(bureau: Bureau) -> None:
    page = bureau.screen.users
    page.table.select_key(THABO)
    page.disable.click()
    await bureau.answer(yes=False)
    assert bureau.house.done == []
    page.disable.click()
    await bureau.answer()
    await until(lambda: words(bureau, THABO)[5] == "Disabled", what="the disabled user")
    assert page.disable.text() == "Enable"
    page.disable.click()
    await until(lambda: bureau.house.done == ["disable 21", "enable 21"], what="enabled again")


async def test_nobody_locks_oneself_out(bureau: Bureau) -> None:
    page = bureau.screen.users
    assert not page.disable.isEnabled()  # nobody is selected
    page.table.select_key(ME)
    assert not page.disable.isEnabled()
    assert page.disable.toolTip()
    assert not page.password.isEnabled()
    bureau.press(Key.Key_P, page.table)
    assert page.roles.isEnabled()
    assert bureau.house.done == []


async def test_a_new_password_is_made_and_shown(bureau: Bureau) -> None:
    page = bureau.screen.users
    page.table.select_key(THABO)
    bureau.press(Key.Key_P, page.table)
    await bureau.answer()
    shown = await bureau.dialog(PasswordDialog)
    shown.reject()
    await bureau.gone(PasswordDialog)
    assert bureau.house.done == ["password 21"]


async def test_sessions_of_a_user_are_seen_and_ended(bureau: Bureau) -> None:
    page = bureau.screen.users
    page.table.select_key(THABO)
    bureau.press(Key.Key_S, page.table)
    dialog = await bureau.dialog(UserSessionsDialog)
    assert isinstance(dialog, UserSessionsDialog)
    await until(lambda: len(dialog.view.end_buttons) == 3, what="the sessions")
    assert "End the session Bursar console on" in dialog.view.end_buttons[0].accessibleName()
    dialog.view.end_buttons[0].click()
    await until(lambda: len(dialog.view.end_buttons) == 2, what="one less")
    dialog.view.end_all.click()
    await until(lambda: dialog.view.words.text() == "Nowhere signed in.", what="none left")
    bureau.press(Key.Key_Escape, dialog)
    await bureau.gone(UserSessionsDialog)
    assert bureau.house.done[-3:] == ["sessions 21", "end all 21", "sessions 21"]


async def test_what_cannot_be_fetched_offers_to_try_again(bureau: Bureau) -> None:
    courses = bureau.screen.courses
    bureau.house.problem = UnreachableError("The backend cannot be reached.")
    bureau.screen.open_page("Courses")
    await until(lambda: courses.empty.text == "The backend cannot be reached.", what="the reason")
    courses.empty._button.click()
    await until(lambda: courses.model.count, what="the courses")
    # Rows that are there stay when a later look fails.
    bureau.house.problem = UnreachableError("The backend cannot be reached.")
    courses.refresh()
    await until(lambda: "cannot be reached" in bureau.told, what="the reason in passing")
    assert courses.model.count
