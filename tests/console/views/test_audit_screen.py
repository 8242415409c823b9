"""The Audit screen as a supervisor uses it, over ledgers of any length."""

from __future__ import annotations

from datetime import timedelta

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from console.models.audit import Column
from console.views.audit import AuditScreen
from console.views.audit_filter import DAYS, DaysDialog
from core.client.audit import AuditQuery, Check, EntryChecks, Standing
from core.client.connection import LIVE
from core.client.errors import UnreachableError
from core.ledger.merkle import leaf_hash
from core.protocol.messages import AUDIT_PAGE_ROWS
from tests.console import samples
from tests.console.fixtures import OpenOffice
from tests.console.trail import OUTLINE_ROWS, Trail
from tests.support.waiting import until

Key = Qt.Key


async def audit_of(opened: OpenOffice, size: int) -> tuple[AuditScreen, Trail]:
    """The screen, open over this many entries, its first page there."""
    trail = opened.desk.audit
    assert isinstance(trail, Trail)
    trail.size = size
    opened.office.commands.trigger("open audit")
    screen = opened.office.audit
    await until(lambda: trail.asked, what="the first page was asked for")
    await until(lambda: screen.model.entry_at(0) is not None, what="the first page is there")
    return screen, trail


def words(screen: AuditScreen, row: int, column: Column) -> str:
    return str(screen.model.index(row, column).data())


def shown_indexes(screen: AuditScreen) -> list[int | None]:
    seen = screen.table.visible_rows
    assert seen is not None
    found = [screen.model.entry_at(row) for row in range(seen[0], seen[1] + 1)]
    return [None if one is None else one.index for one in found]


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


async def test_a_filter_shows_only_what_matches_and_can_be_taken_off(opened: OpenOffice) -> None:
    screen, trail = await audit_of(opened, 3_200)
    screen.filter.action.choose("enrollment.rejected")
    screen.filter.action.chosen.emit("enrollment.rejected")
    await until(lambda: screen.count.text() == "200 entries", what="the filtered list")
    await until(lambda: screen.model.entry_at(0) is not None)
    assert trail.outlines[-1] == AuditQuery(action="enrollment.rejected")
    assert words(screen, 0, Column.WHAT) == "Rejected: the amount is wrong"
    screen.table.select_row(150)  # on the second page
    await until(lambda: screen.model.entry_at(150) is not None, what="the second page")
    await until(lambda: screen.entry.entry is not None, what="the entry of that row")
    assert screen.entry.entry == screen.model.entry_at(150)
    assert screen.filter.clear_all.isVisible()
    screen.filter.clear_all.click()
    await until(lambda: screen.count.text() == "3\u00a0200 entries")
    assert not screen.filter.clear_all.isVisible()


async def test_a_long_filtered_list_tells_a_lower_bound_and_goes_on(opened: OpenOffice) -> None:
    screen, _ = await audit_of(opened, 16 * 9_000)
    screen.filter.action.choose("claim.submitted")  # three of sixteen
    screen.filter.action.chosen.emit("claim.submitted")
    await until(lambda: screen.count.text() == "20\u00a0000+ entries", what="the lower bound")
    await until(lambda: screen.model.entry_at(0) is not None)
    QTest.keyClick(screen.table, Key.Key_End)
    await until(lambda: screen.count.text() == "27\u00a0000 entries", what="the rest")
    assert screen.model.rowCount() > OUTLINE_ROWS
    QTest.keyClick(screen.table, Key.Key_End)
    await until(lambda: screen.model.entry_at(26_999) is not None, what="the oldest page")
    oldest = screen.model.entry_at(26_999)
    assert oldest is not None
    assert oldest.index == 1


async def test_one_enrollment_by_its_reference(opened: OpenOffice) -> None:
    screen, trail = await audit_of(opened, 480)
    QTest.keyClick(screen.table, Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    about = screen.filter.about
    assert about.hasFocus()
    wanted = samples.reference(7)
    QTest.keyClicks(about, wanted.lower())
    await until(lambda: trail.outlines[-1].about == wanted.lower(), what="the reference")
    await until(lambda: screen.model.entry_at(0) is not None)
    found = {words(screen, row, Column.REFERENCE) for row in range(screen.model.rowCount())}
    assert found == {f"{wanted[:4]}-{wanted[4:]}"}
    QTest.keyClick(about, Key.Key_Return)
    assert screen.table.hasFocus()


async def test_half_a_reference_is_not_looked_up(opened: OpenOffice) -> None:
    screen, trail = await audit_of(opened, 10)
    QTest.keyClicks(screen.filter.about, "K7Q")
    assert len(trail.outlines) == 1


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


async def test_only_matching_entries_come_in_under_a_filter(opened: OpenOffice) -> None:
    screen, trail = await audit_of(opened, 160)
    screen.filter.action.choose("workspace.set")
    screen.filter.action.chosen.emit("workspace.set")
    await until(lambda: screen.count.text() == "10 entries")
    trail.size = 176
    opened.office.ledger_grew(176)
    await until(lambda: screen.count.text() == "11 entries", what="the one that matches")
    trail.size = 180
    opened.office.ledger_grew(180)
    await until(lambda: opened.office.auditing.known == 180, what="the others were looked at")
    assert screen.count.text() == "11 entries"


async def test_what_grew_while_another_screen_was_open_is_there(opened: OpenOffice) -> None:
    screen, trail = await audit_of(opened, 300)
    opened.office.shell.open("pending")
    asked = len(trail.asked)
    trail.size = 305
    opened.office.ledger_grew(305)
    assert len(trail.asked) == asked
    opened.office.shell.open("audit")
    await until(lambda: screen.model.rowCount() == 305, what="the new entries")


async def test_the_inspector_tells_and_checks(opened: OpenOffice) -> None:
    screen, trail = await audit_of(opened, 160)
    row = next(r for r in range(16) if words(screen, r, Column.WHAT).startswith("Rejected"))
    screen.table.select_row(row)
    pane = screen.entry
    chosen = screen.model.entry_at(row)
    assert chosen is not None
    assert pane.entry == chosen
    assert pane.fields.shown["By"] == chosen.actor_name
    assert pane.fields.shown["Reason"] == "The amount is wrong"
    assert pane.fields.shown["Claimed"].startswith("R\u00a0")
    assert pane.signature.text.startswith("Checking")
    await until(lambda: trail.checked == [chosen.index], what="the checks")
    await until(lambda: pane.signature.text.startswith("Signature holds"))
    assert "Proved to be entry 41 of the ledger verified to 67." in pane.inclusion.text
    QTest.keyClick(screen.table, Key.Key_C)
    assert QGuiApplication.clipboard().text() == chosen.leaf
    assert "\n" in pane.stored.toPlainText()
    pane.copy_hash()
    assert QGuiApplication.clipboard().text() == leaf_hash(chosen.leaf.encode()).hex()
    pane.pretty.click()
    assert pane.stored.toPlainText() == chosen.leaf


async def test_running_through_rows_checks_only_the_last(opened: OpenOffice) -> None:
    screen, trail = await audit_of(opened, 160)
    for _ in range(6):
        QTest.keyClick(screen.table, Key.Key_Down)
    await until(lambda: trail.checked)
    assert len(trail.checked) == 1


async def test_what_does_not_hold_is_said_in_red_with_a_word(opened: OpenOffice) -> None:
    screen, trail = await audit_of(opened, 16)
    trail.checks = EntryChecks(
        signature=Check(Standing.BROKEN, "The signature does not count: it is another's."),
        inclusion=Check(Standing.UNKNOWN, "This console has not verified the ledger yet."),
    )
    screen.table.select_row(0)
    await until(lambda: trail.checked)
    await until(lambda: screen.entry.signature.text.startswith("Signature does not hold"))
    assert screen.entry.signature._icon.shown == ("shield-alert", "danger")
    assert screen.entry.inclusion.text.startswith("Not proved yet")


async def test_from_an_entry_to_the_payment_that_waits(opened: OpenOffice) -> None:
    waiting = samples.row(0)
    opened.bring(waiting, snapshot=True)
    screen, _ = await audit_of(opened, 16)
    rows = {words(screen, row, Column.REFERENCE): row for row in range(16)}
    screen.table.select_row(rows[f"{waiting.reference[:4]}-{waiting.reference[4:]}"])
    assert screen.entry.open_pending.isVisible()
    screen.entry.open_pending.click()
    assert opened.office.shell.current == "pending"
    assert opened.office.pending.table.current_key == waiting.enrollment
    opened.office.shell.open("audit")
    other = samples.reference(3)
    screen.table.select_row(rows[f"{other[:4]}-{other[4:]}"])
    assert not screen.entry.open_pending.isVisible()
    screen.entry.show_about.click()
    await until(lambda: screen.filter.query.about == f"{other[:4]}-{other[4:]}")


async def test_escape_leaves_the_entry_then_the_filter(opened: OpenOffice) -> None:
    screen, _ = await audit_of(opened, 160)
    screen.filter.action.choose("workspace.set")
    screen.filter.action.chosen.emit("workspace.set")
    await until(lambda: screen.count.text() == "10 entries")
    screen.table.setFocus()
    screen.table.select_row(2)
    QTest.keyClick(screen.table, Key.Key_Escape)
    assert screen.table.current_row is None
    assert screen.entry.entry is None
    QTest.keyClick(screen.table, Key.Key_Escape)
    await until(lambda: screen.count.text() == "160 entries")


async def test_people_are_offered_by_name(opened: OpenOffice) -> None:
    screen, trail = await audit_of(opened, 320)
    names = [action.text() for action in screen.filter.actor._group.actions()]
    await until(
        lambda: "Pieter Botha" in [a.text() for a in screen.filter.actor._group.actions()],
        what="the names",
    )
    assert "Anybody" in names or trail.outlines
    screen.filter.actor.choose(f"user:{samples.OTHER}")
    screen.filter.actor.chosen.emit(f"user:{samples.OTHER}")
    await until(lambda: trail.outlines[-1].actor == f"user:{samples.OTHER}")
    await until(lambda: screen.model.entry_at(0) is not None)
    shown = {words(screen, row, Column.WHO) for row in range(screen.model.rowCount())}
    assert shown == {"Thandi Mokoena"}


async def test_chosen_days_are_from_midnight_to_midnight(opened: OpenOffice) -> None:
    screen, _ = await audit_of(opened, 16)
    screen.filter.time.choose(DAYS)
    screen.filter.time.chosen.emit(DAYS)
    await until(lambda: opened.window.findChild(DaysDialog), what="the question")
    dialog = opened.window.findChild(DaysDialog)
    assert dialog is not None
    dialog.first.setText("2026-03-09")
    dialog.ok.click()
    assert "first day comes after" in dialog.problem.text()
    dialog.first.setText("soon")
    dialog.ok.click()
    assert "like 2026-03-31" in dialog.problem.text()
    dialog.first.setText("2026-03-01")
    dialog.last.setText("2026-03-02")
    dialog.ok.click()
    await until(lambda: screen.filter.query.since is not None, what="the days")
    query = screen.filter.query
    assert query.since is not None
    assert query.until is not None
    assert query.since.astimezone().isoformat().startswith("2026-03-01T00:00:00")
    assert query.until.astimezone().isoformat().startswith("2026-03-03T00:00:00")
    assert screen.filter.time.text() == "1 Mar 2026 to 2 Mar 2026"


async def test_no_days_named_changes_nothing(opened: OpenOffice) -> None:
    screen, trail = await audit_of(opened, 16)
    screen.filter.time.choose(DAYS)
    screen.filter.time.chosen.emit(DAYS)
    await until(lambda: opened.window.findChild(DaysDialog), what="the question")
    dialog = opened.window.findChild(DaysDialog)
    assert dialog is not None
    QTest.keyClick(dialog, Key.Key_Escape)
    await until(lambda: screen.filter.time.value is None, what="the old choice")
    assert len(trail.outlines) == 1


async def test_today_begins_at_midnight(opened: OpenOffice) -> None:
    screen, _ = await audit_of(opened, 16)
    screen.filter.time.choose(0)
    screen.filter.time.chosen.emit(0)
    since = screen.filter.query.since
    assert since is not None
    assert timedelta(0) <= samples.NOW - since < timedelta(days=1)


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
