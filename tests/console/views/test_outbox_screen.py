"""The Outbox screen as an officer uses it: what waits, what needs a person, what is done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QDialog, QLineEdit

from console.models.outbox import Column
from console.runtime.dialogs import ConfirmDialog
from console.views.conflict import ConflictDialog
from console.views.outbox import OutboxScreen
from console.views.outbox_words import Group
from core.client.connection import LIVE, LOST, OTHER_LEDGER
from core.client.errors import OutboxError
from core.client.outbox import OutboxItem, OutboxState
from core.domain.references import show_reference
from core.protocol.messages import AnswerKind
from tests.console import samples
from tests.console.fixtures import OpenOffice
from tests.support.waiting import until

Key = Qt.Key
MINUTES = timedelta(minutes=1)
WAITING = samples.item(
    samples.row(1), n=1, age=12 * MINUTES, attempts=2, code="unreachable", message="No network."
)
YOUNGER = samples.item(samples.row(2), n=2, age=5 * MINUTES)
STUCK = samples.item(
    samples.row(3), n=3, age=7 * MINUTES, state=OutboxState.NEEDS_PERSON, message="Too large."
)
CHANGED = samples.answered(
    samples.item(samples.row(4), n=4, age=9 * MINUTES),
    AnswerKind.CONFLICT_CHANGED,
    "This changed after you saw it.",
    now=samples.row(4, version=3, claim_cents=99_900),
)
REFUSED = samples.answered(
    samples.item(samples.row(5), n=5, age=8 * MINUTES),
    AnswerKind.REFUSED,
    "You are not allowed to decide payments.",
    code="not_allowed",
)
DONE = samples.answered(samples.item(samples.row(6), n=6, age=60 * MINUTES), AnswerKind.ACCEPTED)
ALL = (WAITING, YOUNGER, STUCK, CHANGED, REFUSED, DONE)


async def outbox_of(opened: OpenOffice, *items: OutboxItem) -> OutboxScreen:
    """The screen, open over these items."""
    opened.desk.post(*items)
    opened.desk.on_change = lambda item: opened.office.decisions_changed([item])
    opened.office.commands.trigger("open outbox")
    screen = opened.office.outbox
    await until(lambda: len(screen.model.rows()) == len(items), what="the items")
    return screen


def press(
    screen: OutboxScreen,
    key: Qt.Key,
    modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    QTest.keyClick(screen.table, key, modifier)


def choose(screen: OutboxScreen, item: OutboxItem) -> None:
    screen.table.setFocus()
    assert screen.table.select_key(item.id)


def keys(screen: OutboxScreen) -> list[UUID]:
    found = (screen.model.key_at(row) for row in range(screen.model.rowCount()))
    return [key for key in found if key is not None]


async def did(opened: OpenOffice, what: str) -> None:
    await until(lambda: what in opened.desk.queue_did, what=what)


def dialog_of(opened: OpenOffice, kind: type[QDialog]) -> QDialog | None:
    found: list[QDialog] = opened.window.findChildren(kind)
    return next((one for one in found if one.isVisible()), None)


async def question(opened: OpenOffice) -> ConfirmDialog:
    await until(lambda: dialog_of(opened, ConfirmDialog), what="the question")
    found = dialog_of(opened, ConfirmDialog)
    assert isinstance(found, ConfirmDialog)
    return found


async def test_what_needs_the_officer_comes_first_and_everything_has_its_word(
    opened: OpenOffice,
) -> None:
    screen = await outbox_of(opened, *ALL)
    assert keys(screen) == [one.id for one in (CHANGED, REFUSED, STUCK, WAITING, YOUNGER, DONE)]
    states = [screen.model.index(row, Column.STATE).data() for row in range(6)]
    assert states == ["Conflict", "Refused", "Stuck", "Waiting", "To send", "Accepted"]
    assert screen.sums.text().startswith("6 decisions")
    assert screen.table.hasFocus()


async def test_groups_are_chosen_by_key_and_by_click(opened: OpenOffice) -> None:
    screen = await outbox_of(opened, *ALL)
    press(screen, Key.Key_2)
    assert keys(screen) == [CHANGED.id, REFUSED.id, STUCK.id]
    press(screen, Key.Key_3)
    assert keys(screen) == [WAITING.id, YOUNGER.id]
    screen.groups.button(3).click()
    assert keys(screen) == [DONE.id]
    assert [button.text() for button in screen.groups.buttons()] == [
        "All 6", "Needs you 3", "Waiting 2", "Done 1",
    ]  # fmt: skip
    press(screen, Key.Key_1)
    assert screen.model.group is None
    QTest.keyClicks(screen.filter, show_reference(DONE.reference))
    assert keys(screen) == [DONE.id]
    QTest.keyClick(screen.filter, Key.Key_Escape)
    assert len(keys(screen)) == 6


async def test_the_details_say_what_it_is_what_happened_and_what_to_do(opened: OpenOffice) -> None:
    screen = await outbox_of(opened, *ALL)
    choose(screen, WAITING)
    shown = screen.pane.fields.shown
    assert shown["Decision"] == "Approve"
    assert shown["Student"] == samples.row(1).student.name
    assert shown["Tried"] == "2 times; next try within a minute"
    assert "(12 min ago)" in shown["Decided"]
    assert "No network." in screen.pane.notice.text
    assert "goes out by itself" in screen.pane.notice.text
    choose(screen, DONE)
    assert screen.pane.fields.shown["Ledger entry"] == "entry 9"
    assert not any(
        button.isVisible()
        for button in (screen.pane.retry, screen.pane.discard, screen.pane.dismiss)
    )
    press(screen, Key.Key_C)
    assert QGuiApplication.clipboard().text() == show_reference(DONE.reference)
    press(screen, Key.Key_D)
    assert screen.pane.isHidden()
    press(screen, Key.Key_Return)
    assert screen.pane.isVisible()


async def test_a_stuck_decision_is_tried_again_by_a_key(opened: OpenOffice) -> None:
    screen = await outbox_of(opened, STUCK, REFUSED)
    press(screen, Key.Key_R)  # nothing is selected
    choose(screen, STUCK)
    press(screen, Key.Key_R)
    await did(opened, f"retry {STUCK.id.int}")
    await until(lambda: screen.model.sizes()[Group.WAITING] == 1, what="it waits again")
    assert screen.table.current_key == STUCK.id
    choose(screen, REFUSED)
    press(screen, Key.Key_R)
    press(screen, Key.Key_Delete)
    assert opened.desk.queue_did == [f"retry {STUCK.id.int}"]


async def test_everything_is_tried_at_once_also_what_is_stuck(opened: OpenOffice) -> None:
    screen = await outbox_of(opened, WAITING, STUCK)
    press(screen, Key.Key_R, Qt.KeyboardModifier.ShiftModifier)
    await did(opened, f"retry {STUCK.id.int}")
    assert opened.desk.accepted == ["retry"]
    assert f"retry {WAITING.id.int}" not in opened.desk.queue_did  # the desk's own retry does it


async def test_discarding_asks_first_and_says_that_it_goes_on_the_ledger(
    opened: OpenOffice,
) -> None:
    screen = await outbox_of(opened, WAITING)
    choose(screen, WAITING)
    press(screen, Key.Key_Delete)
    asked = await question(opened)
    words = " ".join(one.text() for one in asked.findChildren(type(opened.office.outbox.sums)))
    assert "goes on the ledger" in words
    assert show_reference(WAITING.reference) in words
    asked.no.click()
    await until(lambda: dialog_of(opened, ConfirmDialog) is None, what="the question gone")
    assert opened.desk.queue_did == []
    screen.pane.discard.click()
    (await question(opened)).yes.click()
    await did(opened, f"discard {WAITING.id.int}")
    await until(
        lambda: screen.model.index(0, Column.STATE).data() == "Withdrawing", what="the withdrawal"
    )
    assert len(keys(screen)) == 1
    assert "does not go out any more" in screen.pane.notice.text
    assert "Discarded" in screen.pane.fields.shown


async def test_a_refusal_once_read_leaves_what_needs_the_officer(opened: OpenOffice) -> None:
    screen = await outbox_of(opened, REFUSED, STUCK)
    press(screen, Key.Key_2)
    choose(screen, REFUSED)
    assert "not allowed" in screen.pane.notice.text
    press(screen, Key.Key_X)
    await until(lambda: keys(screen) == [STUCK.id], what="it left the group")
    # Nothing else was selected by that: the next key must not act on another row.
    assert screen.table.current_key is None
    assert screen.pane.row is not None
    assert screen.pane.row.key == REFUSED.id
    press(screen, Key.Key_R)
    press(screen, Key.Key_X)
    assert opened.desk.queue_did == [f"dismiss {REFUSED.id.int}"]
    press(screen, Key.Key_Down)
    assert screen.table.current_key == STUCK.id


async def test_a_change_is_compared_and_decided_again(opened: OpenOffice) -> None:
    screen = await outbox_of(opened, CHANGED)
    choose(screen, CHANGED)
    assert screen.pane.again.text() == "Decide again…"
    press(screen, Key.Key_G)
    await until(lambda: dialog_of(opened, ConflictDialog), what="the comparison")
    compared = dialog_of(opened, ConflictDialog)
    assert isinstance(compared, ConflictDialog)
    compared.ok.click()
    await until(lambda: opened.desk.decided, what="the new decision")
    row, verdict, *_ = opened.desk.decided[0]
    assert (row.version, verdict) == (3, CHANGED.verdict)
    await until(lambda: screen.model.sizes()[Group.DONE] == 1, what="the old one is done with")


async def test_what_waited_too_long_leads_to_the_payment(opened: OpenOffice) -> None:
    row = samples.row(7)
    opened.bring(row, snapshot=True)
    old = samples.answered(
        samples.item(row), AnswerKind.REFUSED, "Too long.", code="too_old", now=row
    )
    screen = await outbox_of(opened, old)
    choose(screen, old)
    assert screen.pane.again.text() == "Look again"
    screen.pane.again.click()
    assert opened.office.shell.current == "pending"
    assert opened.office.pending.table.current_key == row.enrollment


async def test_a_failure_is_told_and_nothing_is_lost(opened: OpenOffice) -> None:
    screen = await outbox_of(opened, STUCK)
    choose(screen, STUCK)
    opened.desk.queue_problem = OutboxError("The outbox on this computer cannot be used.")
    press(screen, Key.Key_R)
    await until(lambda: "cannot be used" in opened.office.shell.toasts.text, what="the reason")
    assert keys(screen) == [STUCK.id]
    assert screen.pane.retry.isVisible()


async def test_answers_arrive_without_moving_selection_or_scroll(opened: OpenOffice) -> None:
    many = [
        samples.item(samples.row(n), n=n, age=timedelta(minutes=600 - n)) for n in range(1, 101)
    ]
    screen = await outbox_of(opened, *many)
    choose(screen, many[59])
    bar = screen.table.verticalScrollBar()
    top = screen.table.visible_keys()[0]
    row = screen.model.row_of(top)
    assert row is not None
    offset = screen.table.rowViewportPosition(row)
    assert bar.value() > 0
    for item in many[:20]:  # those above are answered, and go below
        opened.office.decisions_changed([samples.answered(item, AnswerKind.ACCEPTED)])
    await until(lambda: screen.model.sizes()[Group.DONE] == 20, what="the answers")
    assert screen.table.current_key == many[59].id
    row = screen.model.row_of(top)
    assert row is not None
    assert screen.table.rowViewportPosition(row) == offset


async def test_the_status_bar_counts_and_leads_here(opened: OpenOffice) -> None:
    office, status = opened.office, opened.office.shell.status
    opened.desk.post(WAITING, YOUNGER, STUCK)
    office.outboxing.reload()
    await until(lambda: status.outbox.text() == "2 waiting, oldest 12 min", what="the count")
    assert status.outbox.drawing == ("send", "accent")
    assert status.needs.text() == "1 needs you"
    assert office.shell._rail_buttons[1].badge == "1"
    assert office.shell._rail_buttons[1].accessibleName() == "Outbox, 1 needs you"
    office.connection_changed(LOST)
    assert status.outbox.drawing == ("hourglass", "warn")
    status.needs.click()
    assert office.shell.current == "outbox"
    office.connection_changed(LIVE)
    for item in (WAITING, YOUNGER, STUCK):
        done = samples.answered(item, AnswerKind.ACCEPTED)
        opened.desk.post(done)
        office.decisions_changed([done])
    await until(lambda: status.outbox.text() == "Outbox empty", what="nothing left")
    assert office.shell._rail_buttons[1].badge == ""
    assert status.needs.isHidden()


async def test_ages_go_on_with_the_clock(
    opened: OpenOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    await outbox_of(opened, WAITING)
    outboxing, status = opened.office.outboxing, opened.office.shell.status
    later = samples.NOW + timedelta(hours=2)
    monkeypatch.setattr(opened.office, "_clock", lambda: later)
    outboxing._ages.timeout.emit()
    assert status.outbox.text() == "1 waiting, 2 h"


async def test_escape_leads_back_step_by_step(opened: OpenOffice) -> None:
    screen = await outbox_of(opened, WAITING, DONE)
    press(screen, Key.Key_3)
    choose(screen, WAITING)
    press(screen, Key.Key_Escape)
    assert screen.pane.row is None
    assert screen.groups.checkedId() == 2
    press(screen, Key.Key_Escape)
    assert screen.groups.checkedId() == 0
    assert len(keys(screen)) == 2
    press(screen, Key.Key_Slash)
    assert screen.filter.hasFocus()


async def test_its_keys_do_nothing_on_other_screens(opened: OpenOffice) -> None:
    screen = await outbox_of(opened, STUCK)
    choose(screen, STUCK)
    opened.office.shell.open("pending")
    assert not opened.office.commands.trigger("outbox retry")
    assert not opened.office.commands.trigger("outbox discard")
    assert opened.desk.queue_did == []


async def test_an_item_that_moved_while_the_file_was_read_stays_as_told(
    opened: OpenOffice,
) -> None:
    office = opened.office
    opened.desk.post(WAITING)
    office.outboxing.reload()
    # Told before the answer of that reading is there: what is read is older.
    done = samples.answered(WAITING, AnswerKind.ACCEPTED)
    await until(lambda: office.outboxing._while_loading == {}, what="the reading has begun")
    office.decisions_changed([done])
    await until(lambda: office.outbox.model.sizes()[Group.DONE] == 1, what="the answer")
    assert replace(done) == office.outbox.model.rows()[0].decision


async def test_everything_that_can_be_pressed_has_a_name(opened: OpenOffice) -> None:
    screen = await outbox_of(opened, *ALL)
    choose(screen, CHANGED)
    buttons = [
        one
        for one in screen.findChildren(QAbstractButton)
        if one.isVisible() and not isinstance(one.parent(), QLineEdit)
    ]
    assert len(buttons) > 8
    assert all(one.accessibleName() or one.text() for one in buttons)


async def test_nothing_is_decided_again_while_the_ledger_is_in_doubt(opened: OpenOffice) -> None:
    screen = await outbox_of(opened, CHANGED)
    choose(screen, CHANGED)
    opened.office.connection_changed(OTHER_LEDGER)
    screen.pane.again.click()
    press(screen, Key.Key_G)
    assert not opened.office.commands.trigger("outbox again")
    opened.office.connection_changed(LIVE)
    assert opened.office.commands.trigger("outbox again")
    await until(lambda: dialog_of(opened, ConflictDialog), what="the comparison")
    found = dialog_of(opened, ConflictDialog)
    assert found is not None
    found.reject()
    await until(lambda: dialog_of(opened, ConflictDialog) is None, what="it is closed")
