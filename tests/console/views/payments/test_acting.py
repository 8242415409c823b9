"""Asking the provider, settling late money, following refunds, replaying dead letters."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from PySide6.QtCore import Qt

from console.views.payments.attempts import AttemptsSection
from console.views.payments.late_money import LateMoneySection
from console.views.payments.refunds import RefundsSection
from console.views.payments.replay import ReplayDialog
from console.views.payments.settle import SettleDialog
from console.views.payments.webhooks import WebhooksSection
from core.client.errors import ProblemError, UnreachableError
from core.domain.card_money import LateReason, RefundState, Settlement
from core.domain.roles import Role
from core.domain.webhooks import DeliveryState
from core.protocol.messages import Problem
from tests.console import samples, till
from tests.console.views.payments.conftest import Opener
from tests.support.waiting import until

Key = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier


def refusal(words: str) -> ProblemError:
    return ProblemError(Problem(type="urn:x", title="No", status=409, detail=words))


# --- asking --------------------------------------------------------------------------------------


async def test_asking_takes_one_key_and_the_answer_stands_in_its_place(counter_of: Opener) -> None:
    async with counter_of() as counter:
        row = counter.till.tried[1]
        await counter.choose(row.attempt)
        counter.press(Key.Key_A)
        await counter.result("The payment is confirmed")
        assert counter.till.done == [f"ask {row.attempt.int}"]
        assert counter.words()[1] == "Paid"
        pane = counter.section.pane
        assert pane.fields.shown["Provider said"] == "PAID"
        assert not pane.progress.isVisible()
        # The news about it that follows does not take the answer away; another row does.
        await until(lambda: not counter.section._loading, what="fetched")
        counter.till.asked.clear()
        counter.office.payments_changed()
        await until(lambda: "attempts" in counter.till.asked, what="the news")
        assert "confirmed" in pane.result.text
        await counter.choose(counter.till.tried[0].attempt)
        assert pane.result.text == ""


async def test_a_slow_answer_shows_that_something_goes_on_and_cannot_be_asked_twice(
    counter_of: Opener,
) -> None:
    async with counter_of() as counter:
        await counter.choose(counter.till.tried[1].attempt)
        pane = counter.section.pane
        counter.till.gate = asyncio.Event()
        counter.screen.at(AttemptsSection).ask.click()
        assert not counter.screen.at(AttemptsSection).ask.isEnabled()
        assert not pane.progress.isVisible()
        await until(pane.progress.isVisible, what="the bar")
        counter.press(Key.Key_A)
        counter.till.gate.set()
        await counter.result("The payment is confirmed")
        assert not pane.progress.isVisible()
        assert len(counter.till.done) == 1


async def test_a_failure_is_told_in_its_place(counter_of: Opener) -> None:
    async with counter_of() as counter:
        await counter.choose(counter.till.tried[1].attempt)
        counter.till.problem = UnreachableError("The backend cannot be reached.")
        counter.press(Key.Key_A)
        await counter.result("The backend cannot be reached.")
        assert counter.screen.at(AttemptsSection).ask.isEnabled()


async def test_an_answer_about_another_row_is_told_in_passing(counter_of: Opener) -> None:
    async with counter_of() as counter:
        await counter.choose(counter.till.tried[1].attempt)
        counter.till.gate = asyncio.Event()
        counter.press(Key.Key_A)
        await counter.choose(counter.till.tried[3].attempt)
        counter.till.gate.set()
        await until(lambda: "confirmed" in counter.office.shell.toasts.text, what="the answer")
        assert counter.section.pane.result.text == ""
        await until(lambda: counter.words()[1] == "Paid", what="the row")


async def test_what_is_paid_is_not_asked_about(counter_of: Opener) -> None:
    async with counter_of() as counter:
        await counter.choose(counter.till.tried[2].attempt)
        assert not counter.screen.at(AttemptsSection).ask.isVisible()
        counter.press(Key.Key_A)
        assert counter.till.done == []


async def test_a_payment_that_waits_is_one_key_away(counter_of: Opener) -> None:
    async with counter_of() as counter:
        waiting = samples.row(3)
        counter.office.rows_came((waiting,), snapshot=True)
        row = counter.till.tried[3]
        assert row.enrollment == waiting.enrollment
        await counter.choose(counter.till.tried[1].attempt)
        assert not counter.screen.at(AttemptsSection).look.isVisible()
        await counter.choose(row.attempt)
        counter.press(Key.Key_P)
        await until(lambda: counter.office.shell.current == "pending", what="the pending list")
        assert counter.office.pending.table.current_key == waiting.enrollment


# --- late money ----------------------------------------------------------------------------------


async def test_late_money_is_settled_with_a_way_and_words(counter_of: Opener) -> None:
    async with counter_of() as counter:
        row = counter.till.late[0]
        await counter.open("Late money")
        assert counter.words() == ["Open", "Open", "Open"]
        await counter.choose(row.id)
        counter.press(Key.Key_S)
        form = await counter.dialog(SettleDialog)
        form.submit()
        assert "Choose what became" in form.notice.text
        form.choices[Settlement.REFUNDED].click()
        form.submit()
        assert "in your own words" in form.notice.text
        form.words.setPlainText("x" * 1001)
        form.submit()
        assert "At most 1000" in form.notice.text
        form.words.setPlainText(" Paid back on Monday. ")
        counter.till.problem = refusal("Somebody has settled this already.")
        form.submit()
        await until(lambda: "settled this already" in form.notice.text, what="the refusal")
        counter.till.problem = None
        form.submit()
        await counter.gone(SettleDialog)
        await counter.result("The ledger says so")
        assert counter.till.done == [f"settle {row.id.int} refunded Paid back on Monday."]
        # It has left the list of what is open; what became of it is still beside it.
        await until(lambda: len(counter.words()) == 2, what="the row gone")
        assert counter.section.pane.shown is not None
        assert counter.section.pane.shown.state.words == "Settled"
        counter.section.choice._choose(False)
        await until(lambda: len(counter.words()) == 4, what="settled ones, too")
        assert counter.words() == ["Open", "Open", "Settled", "Settled"]


async def test_money_without_an_enrollment_cannot_be_recorded(counter_of: Opener) -> None:
    async with counter_of() as counter:
        await counter.open("Late money")
        unknown = counter.till.late[2]
        assert unknown.reason is LateReason.UNKNOWN_TRANSACTION
        await counter.choose(unknown.id)
        counter.press(Key.Key_S)
        form = await counter.dialog(SettleDialog)
        assert not form.choices[Settlement.APPLIED].isEnabled()
        assert "no enrollment" in form.choices[Settlement.APPLIED].toolTip()
        form.reject()
        await counter.gone(SettleDialog)
        await until(counter.screen.at(LateMoneySection).settle.isEnabled, what="another try")
        assert counter.till.done == []


async def test_recorded_money_waits_in_pending(counter_of: Opener) -> None:
    async with counter_of(Role.SUPERVISOR) as counter:
        await counter.open("Late money")
        await counter.choose(counter.till.late[1].id)
        counter.screen.at(LateMoneySection).settle.click()
        form = await counter.dialog(SettleDialog)
        form.choices[Settlement.APPLIED].click()
        form.words.setPlainText("The student enrolled again.")
        form.submit()
        await counter.result("waits in Pending for approval")


# --- refunds -------------------------------------------------------------------------------------


async def test_a_refund_goes_from_due_over_sent_to_done(counter_of: Opener) -> None:
    async with counter_of() as counter:
        row = counter.till.owed[0]
        await counter.open("Refunds")
        assert counter.words() == ["Due", "Sent"]
        await counter.choose(row.attempt)
        counter.press(Key.Key_F)  # not before it was sent
        counter.press(Key.Key_S)
        await counter.answer(yes=False)
        await until(counter.screen.at(RefundsSection).sent.isEnabled, what="another try")
        assert counter.till.done == []
        counter.press(Key.Key_S)
        await counter.answer(yes=True)
        await counter.result("on its way back")
        assert counter.words() == ["Sent", "Sent"]
        await until(counter.screen.at(RefundsSection).done.isEnabled, what="the next step")
        counter.press(Key.Key_F)
        await counter.answer(yes=True)
        await counter.result("the money is back")
        steps = [RefundState.SENT, RefundState.DONE]
        assert counter.till.done == [f"{step.value} {row.attempt.int}" for step in steps]
        assert counter.section.pane.shown is not None
        assert counter.section.pane.shown.state.words == "Done"


# --- callbacks -----------------------------------------------------------------------------------


async def test_dead_letters_come_first_with_their_whole_history(counter_of: Opener) -> None:
    async with counter_of() as counter:
        section = await counter.open("Webhooks")
        assert counter.words()[:3] == ["Dead letter", "Dead letter", "Waiting"]
        dead = counter.till.called[4]
        await counter.choose(dead.id)
        await until(lambda: len(section.pane.history.shown) == 7, what="the tries")
        assert "lnk000004" in section.pane.stored.toPlainText()
        await counter.choose(counter.till.called[1].id)
        await until(lambda: len(section.pane.history.shown) == 1, what="the other's")
        section.choice._choose(DeliveryState.DEAD)
        await until(lambda: len(counter.words()) == 2, what="dead letters alone")


async def test_one_dead_letter_is_replayed_by_a_key(counter_of: Opener) -> None:
    async with counter_of(Role.SUPERVISOR) as counter:
        await counter.open("Webhooks")
        dead = counter.till.called[4]
        await counter.choose(dead.id)
        counter.press(Key.Key_R)
        await counter.result("1 callback is being worked on again")
        assert counter.till.done == [f"replay {dead.id.int}"]
        await until(lambda: counter.words()[:2] == ["Dead letter", "Waiting"], what="it waits")
        assert not counter.screen.at(WebhooksSection).replay.isEnabled()
        assert counter.section.pane.why_not.text() == "It is being worked on already."


async def test_a_range_of_dead_letters_is_replayed(counter_of: Opener) -> None:
    async with counter_of(Role.ADMINISTRATOR) as counter:
        counter.till.called[2] = till.dead(2)
        await counter.open("Webhooks")
        await counter.choose(counter.till.called[4].id)
        counter.press(Key.Key_R, modifier=SHIFT)
        form = await counter.dialog(ReplayDialog)
        offered = []
        for choice in form.choices:
            choice.click()
            offered.append([70_000 - one.int for one in form.wanted])
        assert offered == [[4], [2, 4], [4, 6], [2, 4, 6]]
        form.choices[2].click()
        form.submit()
        await counter.gone(ReplayDialog)
        await counter.result("2 callbacks are being worked on again")
        ids = " ".join(str(UUID(int=70_000 - number).int) for number in (4, 6))
        assert counter.till.done == [f"replay {ids}"]


async def test_no_more_are_offered_than_can_be_replayed_at_once(counter_of: Opener) -> None:
    async with counter_of(Role.SUPERVISOR, fill=False) as counter:
        counter.till.called = [till.dead(number) for number in range(230)]
        await counter.open("Webhooks")
        newest = counter.till.called[0]
        await counter.choose(newest.id)
        counter.press(Key.Key_R, modifier=SHIFT)
        form = await counter.dialog(ReplayDialog)
        assert not form.choices[1].isEnabled()  # none came later
        form.choices[3].click()
        assert len(form.wanted) == 200
        form.reject()
        await counter.gone(ReplayDialog)
        assert counter.till.done == []


# --- roles ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "money", "replay"),
    [(Role.OFFICER, True, False), (Role.SUPERVISOR, True, True),
     (Role.ADMINISTRATOR, False, True)],
)  # fmt: skip
async def test_what_one_may_not_do_says_who_may(
    counter_of: Opener,
    role: Role,
    money: bool,
    replay: bool,
) -> None:
    async with counter_of(role) as counter:
        screen = counter.screen
        await counter.choose(counter.till.tried[1].attempt)
        assert screen.at(AttemptsSection).ask.isEnabled()
        await counter.open("Late money")
        await counter.choose(counter.till.late[0].id)
        assert screen.at(LateMoneySection).settle.isEnabled() is money
        if not money:
            assert "finance officer or a supervisor" in counter.section.pane.why_not.text()
            counter.press(Key.Key_S)
            assert not screen.at(LateMoneySection)._busy
        await counter.open("Refunds")
        await counter.choose(counter.till.owed[0].attempt)
        assert screen.at(RefundsSection).sent.isEnabled() is money
        await counter.open("Webhooks")
        await counter.choose(counter.till.called[4].id)
        assert screen.at(WebhooksSection).replay.isEnabled() is replay
        if not replay:
            assert "supervisor or an administrator" in counter.section.pane.why_not.text()
