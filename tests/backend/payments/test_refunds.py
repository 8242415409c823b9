"""A reversed card approval is money to give back, tracked until it is done."""

from __future__ import annotations

import pytest
from uuid_utils.compat import uuid7

from core.backend.services.errors import ConflictError, NotAllowedError, NotFoundError
from core.backend.services.identities import StudentIdentity
from core.domain.card_money import RefundState
from core.domain.decisions import Verdict
from core.domain.roles import Role
from core.protocol.messages import RefundRow
from tests.backend.payments.shop import EFT, Shop
from tests.support.workspace import Officer


async def _reversed(shop: Shop) -> tuple[StudentIdentity, Officer]:
    student, supervisor = await shop.house.student(), await shop.house.officer(Role.SUPERVISOR)
    await shop.enroll(student)
    shop.provider.pay()
    assert await shop.confirmed() == "approved"
    assert shop.refunds() == []
    answer = await shop.decide(supervisor, student, Verdict.REVERSE_APPROVAL)
    assert answer.kind == "accepted"
    return student, supervisor


async def _move(shop: Shop, by: Officer, to: RefundState, key: str | None = None) -> RefundRow:
    asker = by.identity.asking(key or str(uuid7()))
    return await shop.house.services.payments.move_refund(asker, shop.refunds()[0].attempt, to)


@pytest.mark.both_engines
async def test_a_refund_goes_from_due_to_sent_to_done(shop: Shop) -> None:
    student, supervisor = await _reversed(shop)
    assert not shop.has_access(student)
    (refund,) = shop.refunds()
    assert (refund.state, refund.cents) == (RefundState.DUE, shop.cents)
    assert refund.enrollment == shop.enrollment(student).id
    with pytest.raises(ConflictError, match="not sent yet"):
        await _move(shop, supervisor, RefundState.DONE)
    sent = await _move(shop, supervisor, RefundState.SENT, key="sent-it-once")
    assert (sent.state, sent.by_name) == (RefundState.SENT, "Naledi Dlamini")
    assert await _move(shop, supervisor, RefundState.SENT, key="sent-it-once") == sent
    with pytest.raises(ConflictError, match="sent already"):
        await _move(shop, supervisor, RefundState.SENT)
    desk = shop.house.services.payments
    assert (await desk.refunds(after=None, limit=10, open_only=True)).rows == (sent,)
    officer = await shop.house.officer()
    done = await _move(shop, officer, RefundState.DONE)
    assert (done.state, done.by_name) == (RefundState.DONE, "Thandi Mokoena")
    assert shop.actions()[-2:] == ["refund.sent", "refund.done"]
    assert (await desk.refunds(after=None, limit=10, open_only=True)).rows == ()
    shop.house.verify()


async def test_reinstating_takes_back_what_was_not_sent(shop: Shop) -> None:
    student, supervisor = await _reversed(shop)
    await shop.decide(supervisor, student, Verdict.REINSTATE)
    assert shop.has_access(student)
    assert [r.state for r in shop.refunds()] == [RefundState.NOT_DUE]
    with pytest.raises(ConflictError, match="not due"):
        await _move(shop, supervisor, RefundState.SENT)
    await shop.decide(supervisor, student, Verdict.REVERSE_APPROVAL)
    assert [r.state for r in shop.refunds()] == [RefundState.DUE]


async def test_what_was_sent_once_is_not_due_again(shop: Shop) -> None:
    student, supervisor = await _reversed(shop)
    await _move(shop, supervisor, RefundState.SENT)
    await shop.decide(supervisor, student, Verdict.REINSTATE)
    await shop.decide(supervisor, student, Verdict.REVERSE_APPROVAL)
    assert [r.state for r in shop.refunds()] == [RefundState.SENT]


async def test_money_that_no_card_brought_is_not_the_cards_refund(shop: Shop) -> None:
    student, supervisor = await shop.house.student(), await shop.house.officer(Role.SUPERVISOR)
    await shop.enroll(student, EFT)
    await shop.say_paid(student)
    await shop.decide(supervisor, student)
    await shop.decide(supervisor, student, Verdict.REVERSE_APPROVAL)
    assert shop.refunds() == []


async def test_who_may_not_touch_refunds(shop: Shop) -> None:
    await _reversed(shop)
    administrator = await shop.house.administrator()
    move = shop.house.services.payments.move_refund
    asker = administrator.asking("some-key-of-mine")
    with pytest.raises(NotAllowedError, match="officer or a supervisor"):
        await move(asker, shop.refunds()[0].attempt, RefundState.SENT)
    with pytest.raises(NotFoundError):
        await move(asker, uuid7(), RefundState.SENT)
