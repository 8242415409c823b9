"""The Pending screen as an officer uses it: by keyboard, over a desk that notes its orders."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from console.models.pending import Column
from console.views.reject import RejectDialog
from core.client.connection import LOST
from core.client.errors import OutboxError, UnreachableError
from core.domain.decisions import ReasonCode, Verdict
from core.domain.references import show_reference
from core.protocol.messages import AnswerKind, EnrollmentRow
from tests.console import samples
from tests.console.fixtures import OpenOffice
from tests.support.waiting import until

Key = Qt.Key


async def five(opened: OpenOffice) -> list[EnrollmentRow]:
    """Five rows, the first of the list selected."""
    rows = [samples.row(number) for number in (5, 4, 3, 2, 1)]
    opened.bring(*rows, snapshot=True)
    await opened.select(rows[0])
    return rows


@pytest.mark.req("4.1")
async def test_a_claim_that_comes_in_is_in_the_list_and_marked_new(opened: OpenOffice) -> None:
    await five(opened)
    new = samples.row(0)
    opened.bring(new)
    table, model = opened.office.pending.table, opened.office.model
    assert new.enrollment in table.visible_keys()
    row = model.row_of(new.enrollment)
    assert row is not None
    assert model.index(row, Column.STATE).data() == "New"
    sums = opened.office.pending.sums
    await until(lambda: sums.text().startswith("6 payments"), what="the new sum")


@pytest.mark.req("4.4")
async def test_an_enrollment_decided_elsewhere_leaves_the_list_and_is_told(
    opened: OpenOffice,
) -> None:
    rows = await five(opened)
    opened.bring(samples.approved(rows[0]))
    assert opened.office.model.row(rows[0].enrollment) is None
    detail = opened.office.pending.detail
    assert "Approved by T. Mokoena" in detail.notice.text
    assert not detail.can_decide
    opened.press(Key.Key_A)  # in that very moment: nothing else may be approved by it
    assert opened.desk.decided == []
    opened.press(Key.Key_Down)
    assert opened.office.pending.table.current_key == rows[1].enrollment


async def test_a_approves_what_is_shown_and_goes_on(opened: OpenOffice) -> None:
    rows = await five(opened)
    opened.press(Key.Key_A)
    await until(lambda: opened.desk.decided)
    assert opened.desk.decided == [(rows[0], Verdict.APPROVE, None, None)]
    await until(lambda: opened.office.pending.table.current_key == rows[1].enrollment)
    assert opened.office.pending.detail.row == rows[1]


async def test_the_button_does_what_the_key_does(opened: OpenOffice) -> None:
    rows = await five(opened)
    opened.office.pending.detail.approve.click()
    await until(lambda: opened.desk.decided)
    assert opened.desk.decided[0][:2] == (rows[0], Verdict.APPROVE)


async def test_a_held_down_key_decides_once(opened: OpenOffice) -> None:
    await five(opened)
    assert not opened.office.commands.named("approve").action.autoRepeat()
    assert not opened.office.commands.named("reject").action.autoRepeat()


async def test_the_overlay_stops_a_second_decision(opened: OpenOffice) -> None:
    rows = await five(opened)
    opened.office.decisions_changed([samples.item(rows[0])])
    assert not opened.office.pending.detail.can_decide
    assert "on its way" in opened.office.pending.detail._why_not.text()
    opened.press(Key.Key_A)
    assert opened.desk.decided == []
    assert opened.office.shell.status.outbox.text() == "1 waiting"


async def test_accepted_the_row_leaves_by_the_feed_and_a_toast_tells(opened: OpenOffice) -> None:
    rows = await five(opened)
    decided = samples.item(rows[0])
    opened.office.decisions_changed([decided])
    opened.office.decisions_changed([samples.answered(decided, AnswerKind.ACCEPTED)])
    text = opened.office.shell.toasts.text
    assert text.startswith("Approved R")
    assert show_reference(rows[0].reference) in text
    opened.bring(samples.approved(rows[0]))
    assert opened.office.model.overlay(rows[0].enrollment) is None
    status = opened.office.shell.status
    await until(lambda: status.outbox.text() == "Outbox empty", what="nothing waits")


async def test_answers_that_come_together_leave_together_and_one_toast_tells(
    opened: OpenOffice,
) -> None:
    rows = await five(opened)
    decided = [samples.item(row) for row in rows[:3]]
    opened.office.decisions_changed(decided)
    opened.office.decisions_changed(
        [
            samples.answered(item, AnswerKind.ACCEPTED, now=samples.approved(row))
            for item, row in zip(decided, rows, strict=False)
        ]
    )
    assert [opened.office.model.row(row.enrollment) for row in rows[:3]] == [None] * 3
    assert opened.office.model.count == len(rows) - 3
    assert opened.office.shell.toasts.text.endswith("(and 2 more)")
    assert opened.office.waiting_to_send == 0


async def test_a_change_behind_the_back_is_shown_side_by_side_and_decided_again(
    opened: OpenOffice,
) -> None:
    rows = await five(opened)
    opened.press(Key.Key_A)
    await until(lambda: opened.desk.decided)
    decided = samples.item(rows[0])
    opened.office.decisions_changed([decided])
    changed = samples.row(5, version=3, claim_cents=200_000)
    opened.desk.know([changed])
    opened.office.decisions_changed(
        [samples.answered(decided, AnswerKind.CONFLICT_CHANGED, "The amount changed.", now=changed)]
    )
    await opened.select(changed)
    # The pane shows the row as it is now; the notice says what it was.
    detail = opened.office.pending.detail
    assert detail.row == changed
    assert "Decide again" in detail.notice.text
    assert detail.can_decide
    opened.press(Key.Key_A)
    await until(lambda: len(opened.desk.decided) == 2)
    assert opened.desk.decided[1][0] == changed


async def test_the_conflict_on_the_shown_row_names_the_difference(opened: OpenOffice) -> None:
    rows = await five(opened)
    detail = opened.office.pending.detail
    changed = samples.row(5, version=3, claim_cents=200_000)
    opened.office.decisions_changed(
        [samples.answered(samples.item(rows[0]), AnswerKind.CONFLICT_CHANGED, now=changed)]
    )
    assert "Amount: was R\u00a02\u00a0899.50, is now R\u00a02\u00a0000.00." in detail.notice.text


async def test_a_conflict_with_nothing_different_points_to_the_history(opened: OpenOffice) -> None:
    rows = await five(opened)
    changed = samples.row(5, version=3)
    opened.office.decisions_changed(
        [samples.answered(samples.item(rows[0]), AnswerKind.CONFLICT_CHANGED, now=changed)]
    )
    text = opened.office.pending.detail.notice.text
    assert "Nothing you see changed; something happened to this payment meanwhile." in text


async def test_decided_by_somebody_else_is_told_with_name_and_time(opened: OpenOffice) -> None:
    rows = await five(opened)
    late = samples.answered(
        samples.item(rows[0]),
        AnswerKind.CONFLICT_DECIDED,
        "T. Mokoena approved this at 10:42",
        now=samples.approved(rows[0]),
    )
    opened.office.decisions_changed([late])
    assert "T. Mokoena approved this at 10:42" in opened.office.shell.toasts.text
    assert opened.office.model.row(rows[0].enrollment) is None
    assert "T. Mokoena" in opened.office.pending.detail.notice.text


async def test_reject_asks_why_and_sends_the_reason(opened: OpenOffice) -> None:
    rows = await five(opened)
    opened.press(Key.Key_R)
    await until(lambda: opened.window.findChild(RejectDialog), what="the dialog")
    dialog = opened.window.findChild(RejectDialog)
    assert dialog is not None
    opened.press(Key.Key_2, dialog)
    opened.press(Key.Key_Return, dialog)  # plain Enter is no rejection
    assert opened.desk.decided == []
    dialog.fill(ReasonCode.WRONG_AMOUNT, "R 1 000.00 came.")
    dialog.ok.click()
    await until(lambda: opened.desk.decided)
    assert opened.desk.decided == [
        (rows[0], Verdict.REJECT, ReasonCode.WRONG_AMOUNT, "R 1 000.00 came.")
    ]


async def test_escape_leaves_everything_as_it_is(opened: OpenOffice) -> None:
    rows = await five(opened)
    opened.press(Key.Key_R)
    await until(lambda: opened.window.findChild(RejectDialog), what="the dialog")
    opened.press(Key.Key_Escape, opened.window.findChild(RejectDialog))
    await until(lambda: opened.window.findChild(RejectDialog) is None)
    assert opened.desk.decided == []
    assert opened.office.pending.table.current_key == rows[0].enrollment


async def test_a_queue_that_fails_is_told(opened: OpenOffice) -> None:
    await five(opened)
    opened.desk.problem = OutboxError("The outbox on this computer cannot be used.")
    opened.press(Key.Key_A)
    await until(lambda: opened.office.shell.toasts.text)
    assert opened.office.shell.toasts.text == "The outbox on this computer cannot be used."


async def test_the_slash_filters_and_letters_typed_there_decide_nothing(
    opened: OpenOffice,
) -> None:
    rows = await five(opened)
    opened.press(Key.Key_Slash)
    pending = opened.office.pending
    assert pending.filter.hasFocus()
    opened.type("a r d", pending.filter)
    assert pending.filter.text() == "a r d"
    assert opened.desk.decided == []
    assert opened.window.findChild(RejectDialog) is None
    pending.filter.setText(rows[2].reference)
    assert opened.office.model.rowCount() == 1
    await until(lambda: pending.sums.text().startswith("1 of 5 payments"), what="the new sum")
    opened.press(Key.Key_Return, pending.filter)
    assert pending.table.hasFocus()
    assert pending.table.current_key == rows[2].enrollment
    opened.press(Key.Key_Escape)
    assert pending.filter.text() == ""
    assert opened.office.model.rowCount() == 5


async def test_nothing_found_says_so_and_offers_the_way_out(opened: OpenOffice) -> None:
    await five(opened)
    pending = opened.office.pending
    pending.filter.setText("zzz")
    assert pending.empty.isVisible()
    assert pending.empty.text == "No payment matches the filter."
    pending.empty._button.click()
    assert pending.table.isVisible()


async def test_an_empty_list_says_so(opened: OpenOffice) -> None:
    opened.bring(snapshot=True)
    assert opened.office.pending.empty.text == "Nothing waits for a decision."


async def test_history_and_card_follow_the_selection(opened: OpenOffice) -> None:
    rows = await five(opened)
    detail = opened.office.pending.detail
    await until(lambda: detail.timeline.shown, what="the history")
    assert [moment.text for moment in detail.timeline.shown] == [
        "Says the EFT is paid: R\u00a02\u00a0899.50",
        "Enrolled",
    ]
    assert detail.card.label_text == "Pending Approval"
    assert detail.fields.shown["Course"] == rows[0].course_title


async def test_running_through_rows_asks_only_for_the_last(opened: OpenOffice) -> None:
    rows = await five(opened)
    opened.desk.asked.clear()
    for _ in range(3):
        opened.press(Key.Key_Down)
    await until(lambda: opened.desk.asked)
    assert opened.desk.asked == [rows[3].enrollment]


async def test_history_that_cannot_be_fetched_leaves_the_row(opened: OpenOffice) -> None:
    rows = await five(opened)
    opened.desk.problem = UnreachableError("The backend cannot be reached.")
    opened.press(Key.Key_Down)
    detail = opened.office.pending.detail
    await until(lambda: "cannot be reached" in detail._loading.text())
    assert detail.row == rows[1]


async def test_c_copies_the_reference(opened: OpenOffice) -> None:
    rows = await five(opened)
    opened.press(Key.Key_C)
    assert QGuiApplication.clipboard().text() == show_reference(rows[0].reference)


async def test_d_hides_and_shows_the_details(opened: OpenOffice) -> None:
    await five(opened)
    opened.press(Key.Key_D)
    assert not opened.office.pending.detail.isVisible()
    opened.press(Key.Key_D)
    assert opened.office.pending.detail.isVisible()


async def test_two_signatures(opened: OpenOffice) -> None:
    unsigned, mine = samples.row(3), samples.row(7, signed_by=samples.ME, by_name="Palesa Ndlovu")
    theirs = samples.row(11, signed_by=samples.OTHER)
    opened.bring(unsigned, mine, theirs, snapshot=True)
    detail = opened.office.pending.detail
    await opened.select(unsigned)
    assert detail.fields.shown["Signatures"] == "0 of 2"
    assert detail.approve.text() == "Sign as first"
    await opened.select(mine)
    assert detail.fields.shown["Signatures"].startswith("1 of 2: Palesa Ndlovu")
    assert not detail.can_decide
    assert detail.can_reject
    await opened.select(theirs)
    assert detail.approve.text() == "Approve"
    assert detail.can_decide


async def test_a_fact_that_changes_under_the_eyes_is_marked(opened: OpenOffice) -> None:
    rows = await five(opened)
    opened.bring(samples.row(5, version=3, cents=100_000))
    detail = opened.office.pending.detail
    assert detail.row is not None
    assert detail.row.version == 3
    assert detail._amount.text() == "R\u00a01\u00a0000.00"
    assert detail._amount.property("look") == "changed"
    assert detail.row.enrollment == rows[0].enrollment


async def test_offline_nothing_blocks(opened: OpenOffice) -> None:
    rows = await five(opened)
    opened.office.connection_changed(LOST)
    opened.press(Key.Key_A)
    await until(lambda: opened.desk.decided)
    waiting = samples.item(rows[0], attempts=1, code="unreachable", message="No connection.")
    opened.office.decisions_changed([waiting])
    model = opened.office.model
    row = model.row_of(rows[0].enrollment)
    assert row is not None
    assert model.index(row, Column.STATE).data() == "Approval waits"
    assert opened.office.shell.status.outbox.text() == "1 waiting"
