"""No statement of card payments reads a whole table that grows."""

from __future__ import annotations

from dataclasses import replace

from uuid_utils.compat import uuid7

from core.backend.services.identities import Asker
from core.domain.card_money import RefundState, Settlement
from core.domain.decisions import Verdict
from core.domain.failures import FailureClass
from core.domain.roles import Role
from core.protocol.messages import SettleLateMoney
from tests.backend.payments.shop import Shop
from tests.backend.storage.test_plans import whole_reads
from tests.support.watch import ExpectedLogs
from tests.support.workspace import Officer


def _key(who: Officer) -> Asker:
    return who.identity.asking(str(uuid7()))


async def _everything(shop: Shop) -> None:
    """Each use case of cards once."""
    student, second = [await shop.house.student() for _ in range(2)]
    supervisor = await shop.house.officer(Role.SUPERVISOR)
    desk = shop.house.services.payments
    await shop.enroll(student)
    await shop.confirm(failure=FailureClass.DECLINED)
    await shop.start(student)
    await shop.enroll(second)
    shop.provider.pay("link2")
    shop.house.clock.advance(minutes=1)
    await shop.sweeper.sweep()
    await shop.decide(supervisor, student, Verdict.REVERSE_APPROVAL)
    (refund,) = (await desk.refunds(after=None, limit=5, open_only=True)).rows
    await desk.move_refund(_key(supervisor), refund.attempt, RefundState.SENT)
    shop.provider.pay("link3")
    shop.provider.lies = lambda status: replace(status, amount_cents=1)
    await shop.confirm()
    shop.provider.foreign("till")
    await shop.sweeper.compare()
    for after in (uuid7(), None):
        await desk.attempts(after=after, limit=5)
        await desk.refunds(after=after, limit=5, open_only=False)
    late = await desk.late_money(after=uuid7(), limit=5, open_only=True)
    await desk.attempts_of(refund.enrollment)
    body = SettleLateMoney(how=Settlement.OTHER, words="Seen.")
    await desk.settle(_key(supervisor), late.rows[0].id, body)
    await desk.late_money(after=None, limit=5, open_only=False)


async def test_card_payments_are_found_by_an_index(shop: Shop, expected_logs: ExpectedLogs) -> None:
    with expected_logs("another amount|do not know"):
        assert not await whole_reads(shop.house, _everything(shop), at_least=40)
