"""The chosen entry beside the audit trail: in words, as checked, and as stored."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from console.models.audit import Column
from core.client.audit import Check, EntryChecks, Standing
from core.ledger.merkle import leaf_hash
from tests.console import samples
from tests.console.fixtures import OpenOffice
from tests.console.views.audit_kit import audit_of, words
from tests.support.waiting import until

Key = Qt.Key


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
