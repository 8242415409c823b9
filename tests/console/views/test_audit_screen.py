"""The Audit screen as a supervisor opens it, over ledgers of any length."""

from __future__ import annotations

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from console.models.audit import Column
from core.client.connection import LIVE
from core.client.errors import UnreachableError
from tests.console.fixtures import OpenOffice
from tests.console.trail import Trail
from tests.console.views.audit_kit import audit_of, shown_indexes, words
from tests.support.waiting import until

Key = Qt.Key


async def test_nothing_is_asked_before_somebody_looks(opened: OpenOffice) -> None:
    trail = opened.desk.audit
    assert isinstance(trail, Trail)
    opened.office.ledger_grew(500)
    assert trail.outlines == []
    await audit_of(opened, 500)
    assert len(trail.outlines) == 1


async def test_a_million_entries_open_with_the_visible_page_only(opened: OpenOffice) -> None:
    screen, trail = await audit_of(opened, 1_000_000)
    assert screen.model.rowCount() == 1_000_000
    assert screen.count.text() == "1\u00a0000\u00a0000 entries"
    assert trail.asked == [1_000_000]
    assert words(screen, 0, Column.ENTRY) == "999\u00a0999"
    bar = screen.table.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    await until(lambda: None not in shown_indexes(screen), what="what is in view is there")
    middle = shown_indexes(screen)[0]
    assert middle is not None
    assert 490_000 < middle < 510_000
    QTest.keyClick(screen.table, Key.Key_End)
    await until(lambda: screen.model.entry_at(999_999) is not None, what="the last page")
    assert words(screen, 999_999, Column.ENTRY) == "0"
    assert len(trail.asked) <= 5
    assert len(screen.model.pages_held) <= 5


async def test_rows_on_their_way_show_their_place_and_no_more(opened: OpenOffice) -> None:
    screen, _ = await audit_of(opened, 1_000)
    assert words(screen, 700, Column.ENTRY) == "299"
    assert words(screen, 700, Column.WHAT) == "…"
    spoken = screen.model.index(700, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Loading"


@pytest.mark.parametrize(
    ("size", "narrow", "text"),
    [(0, False, "The ledger is empty."), (5, True, "No entry matches the filters.")],
)
async def test_nothing_to_show_says_so(
    opened: OpenOffice, size: int, narrow: bool, text: str
) -> None:
    trail = opened.desk.audit
    assert isinstance(trail, Trail)
    trail.size = size
    opened.office.commands.trigger("open audit")
    screen = opened.office.audit
    if narrow:
        screen.filter.action.choose("workspace.set")
        screen.filter.action.chosen.emit("workspace.set")
    await until(lambda: screen.empty.text == text, what="the words")
    assert screen.empty.isVisible()


async def test_unreachable_says_so_and_tries_again(opened: OpenOffice) -> None:
    trail = opened.desk.audit
    assert isinstance(trail, Trail)
    trail.size, trail.problem = 50, UnreachableError("The backend cannot be reached.")
    opened.office.commands.trigger("open audit")
    screen = opened.office.audit
    await until(screen.problem.isVisible, what="the problem")
    assert screen.problem.text == "The backend cannot be reached."
    trail.problem = None
    opened.office.connection_changed(LIVE)
    await until(lambda: screen.model.rowCount() == 50, what="the list")


async def test_a_page_that_fails_leaves_the_rest(opened: OpenOffice) -> None:
    screen, trail = await audit_of(opened, 5_000)
    trail.problem = UnreachableError("The backend cannot be reached.")
    QTest.keyClick(screen.table, Key.Key_End)
    await until(lambda: "cannot be reached" in screen.banner.text, what="the banner")
    assert screen.table.isVisible()
    trail.problem = None
    opened.office.connection_changed(LIVE)
    await until(lambda: screen.model.entry_at(4_999) is not None, what="the page")
    assert screen.banner.text == ""


async def test_an_office_that_closes_leaves_nothing_at_work(opened: OpenOffice) -> None:
    screen, trail = await audit_of(opened, 16)
    tasks = opened.office._tasks
    screen.table.select_row(0)  # a check is on its way
    opened.window.drop_page(opened.office.shell)
    opened.office.deleteLater()
    await until(lambda: not shiboken6.isValid(screen), what="the screen is gone")
    await until(
        lambda: not any(name.startswith("audit") for name in tasks._tasks.values()),
        what="its tasks have ended",
    )
    assert trail.checked == []
