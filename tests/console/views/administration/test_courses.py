"""Courses and the workspace: amounts as people write them, and forms that lose nothing."""

from __future__ import annotations

from uuid import UUID

import pytest
from PySide6.QtCore import Qt

from console.views.administration.courses import CourseDialog
from core.client.errors import UnreachableError
from tests.console.views.administration.conftest import Bureau
from tests.support.waiting import until

Key = Qt.Key
BOOKKEEPING = UUID(int=1_000)


async def open_courses(bureau: Bureau) -> None:
    bureau.screen.open_page("Courses")
    await until(lambda: bureau.screen.courses.model.count, what="the courses")


@pytest.mark.parametrize(
    ("price", "cents"), [("R 1 499.50", 149_950), ("1250", 125_000), ("1250,00", 125_000)]
)
async def test_a_course_is_added_with_a_price_in_rand(
    bureau: Bureau, price: str, cents: int
) -> None:
    await open_courses(bureau)
    bureau.press(Key.Key_N, bureau.screen.courses.table)
    dialog = await bureau.dialog(CourseDialog)
    assert isinstance(dialog, CourseDialog)
    bureau.press(Key.Key_Return, dialog.price)
    assert "title" in dialog.notice.text
    dialog.course_title.setText("Payroll in Practice")
    dialog.price.setText("about 12")
    bureau.press(Key.Key_Return, dialog.price)
    assert "Write the amount like 1250.00." in dialog.notice.text
    dialog.price.setText(price)
    bureau.press(Key.Key_Return, dialog.price)
    await bureau.gone(CourseDialog)
    assert bureau.house.done == [f"course Payroll in Practice {cents} "]


async def test_a_course_is_edited_by_keyboard(bureau: Bureau) -> None:
    await open_courses(bureau)
    page = bureau.screen.courses
    page.table.select_key(BOOKKEEPING)
    bureau.press(Key.Key_E, page.table)
    dialog = await bureau.dialog(CourseDialog)
    assert isinstance(dialog, CourseDialog)
    dialog.price.setText("R 1 300.00")
    dialog.summary.setPlainText("x" * 2001)
    dialog.ok.click()
    assert "2000" in dialog.notice.text
    dialog.summary.setPlainText("New words.")
    bureau.house.problem = UnreachableError("The backend cannot be reached.")
    dialog.ok.click()
    await until(lambda: "cannot be reached" in dialog.notice.text, what="the reason")
    dialog.ok.click()
    await bureau.gone(CourseDialog)
    assert bureau.house.done == ["change 1000 Bookkeeping to Trial Balance 130000 New words."]


async def test_a_course_retires_and_opens_again(bureau: Bureau) -> None:
    await open_courses(bureau)
    page = bureau.screen.courses
    page.table.select_key(BOOKKEEPING)
    page.retire.click()
    await bureau.answer()
    await until(lambda: page.retire.text() == "Open again", what="the retired course")
    page.retire.click()
    await until(lambda: bureau.house.done == ["retire 1000", "reopen 1000"], what="open again")


async def test_escape_leaves_a_form_and_changes_nothing(bureau: Bureau) -> None:
    await open_courses(bureau)
    bureau.screen.courses.add_course.click()
    dialog = await bureau.dialog(CourseDialog)
    bureau.press(Key.Key_Escape, dialog)
    await bureau.gone(CourseDialog)
    bureau.screen.courses.add_course.click()
    dialog = await bureau.dialog(CourseDialog)
    assert isinstance(dialog, CourseDialog)
    dialog.course_title.setText("Payroll")
    dialog.price.setText("100")
    dialog.cancel.setFocus()
    bureau.press(Key.Key_Return, dialog.cancel)  # the button that has the focus is meant
    await bureau.gone(CourseDialog)
    assert bureau.house.done == []


async def test_the_workspace_is_changed_and_checked(bureau: Bureau) -> None:
    page = bureau.screen.workspace
    bureau.screen.open_page("Workspace")
    await until(lambda: page.name.text() == "Bursar Demo College", what="the workspace")
    assert page.threshold.text() == "R\u00a010\u00a0000.00"
    assert not page.save.isEnabled()
    page.threshold.setText("a lot")
    bureau.press(Key.Key_Return, page.threshold)
    assert "Write the amount" in page.notice.text
    page.threshold.setText("R 7 500.00")
    page.branch_code.setText("")
    page.save.click()
    assert "complete or empty" in page.notice.text
    page.branch_code.setText("250655")
    bureau.press(Key.Key_Return, page.branch_code)
    await until(lambda: bureau.house.settings.threshold_cents == 750_000, what="the new amount")
    page.two.click()  # while the answer is on its way
    assert not page.threshold.isEnabled()
    await until(lambda: bureau.told == "The workspace is saved.", what="the answer")
    assert not page.two.isChecked()
    page.save.click()
    await until(lambda: bureau.house.settings.threshold_cents is None, what="one signature")


async def test_what_was_typed_survives_news_and_can_be_undone(bureau: Bureau) -> None:
    page = bureau.screen.workspace
    bureau.screen.open_page("Workspace")
    await until(page.name.text, what="the workspace")
    page.name.setText("Another College")
    bureau.office.house_changed()
    await until(lambda: bureau.screen.devices.model.count, what="the news taken")
    bureau.house.problem = UnreachableError("The backend cannot be reached.")
    page.save.click()
    await until(lambda: "cannot be reached" in page.notice.text, what="the reason")
    assert page.name.text() == "Another College"
    page.undo.click()
    assert page.name.text() == "Bursar Demo College"
    assert bureau.house.settings.name == "Bursar Demo College"
