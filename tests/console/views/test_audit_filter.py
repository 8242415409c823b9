"""What narrows the audit trail: what, about whom, by whom and when."""

from __future__ import annotations

from datetime import timedelta

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from console.models.audit import Column
from console.views.audit_filter import DAYS, DaysDialog
from core.client.audit import AuditQuery
from tests.console import samples
from tests.console.fixtures import OpenOffice
from tests.console.trail import OUTLINE_ROWS
from tests.console.views.audit_kit import audit_of, words
from tests.support.waiting import until

Key = Qt.Key


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
