"""What comes on the ledger while somebody reads the audit trail."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from console.models.audit import Column
from core.protocol.messages import AUDIT_PAGE_ROWS
from tests.console.fixtures import OpenOffice
from tests.console.views.audit_kit import audit_of, shown_indexes, words
from tests.support.waiting import until

Key = Qt.Key


async def test_new_entries_appear_at_the_top(opened: OpenOffice) -> None:
    screen, trail = await audit_of(opened, 300)
    trail.size = 303
    opened.office.ledger_grew(303)
    await until(lambda: screen.model.rowCount() == 303, what="the new entries")
    assert words(screen, 0, Column.ENTRY) == "302"
    assert shown_indexes(screen)[0] == 302
    assert screen.count.text() == "303 entries"


async def test_further_down_new_entries_wait_and_nothing_moves(opened: OpenOffice) -> None:
    screen, trail = await audit_of(opened, 300)
    screen.table.select_row(60)
    await until(lambda: None not in shown_indexes(screen))
    before = shown_indexes(screen)
    trail.size = 312
    opened.office.ledger_grew(312)
    await until(lambda: screen.held == 12, what="the new entries are held")
    assert screen.pill.text() == "↑ 12 new entries"
    assert screen.pill.isVisible()
    assert shown_indexes(screen) == before
    assert screen.model.rowCount() == 300
    screen.pill.click()
    assert screen.model.rowCount() == 312
    assert screen.table.is_at_top
    assert shown_indexes(screen)[0] == 311
    assert not screen.pill.isVisible()
    assert screen.table.current_row == 72  # the same entry as before


async def test_back_at_the_top_what_waited_comes_in(opened: OpenOffice) -> None:
    screen, trail = await audit_of(opened, 300)
    QTest.keyClick(screen.table, Key.Key_End)
    trail.size = 301
    opened.office.ledger_grew(301)
    await until(lambda: screen.held == 1)
    QTest.keyClick(screen.table, Key.Key_Home)
    await until(lambda: screen.model.rowCount() == 301, what="it came in")


async def test_too_many_at_once_open_the_list_anew(opened: OpenOffice) -> None:
    screen, trail = await audit_of(opened, 100)
    trail.size = 100 + 20 * AUDIT_PAGE_ROWS
    opened.office.ledger_grew(trail.size)
    await until(lambda: screen.model.rowCount() == trail.size, what="the list with all of them")
    assert screen.model.live == 0


async def test_what_grew_while_another_screen_was_open_is_there(opened: OpenOffice) -> None:
    screen, trail = await audit_of(opened, 300)
    opened.office.shell.open("pending")
    asked = len(trail.asked)
    trail.size = 305
    opened.office.ledger_grew(305)
    assert len(trail.asked) == asked
    opened.office.shell.open("audit")
    await until(lambda: screen.model.rowCount() == 305, what="the new entries")
