"""Money that fits nothing: kept for a person, never lost, never applied by itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from core.backend.gateway.provider import LinkStatus
from core.backend.services.container import Services
from core.backend.services.errors import ConflictError, NotAllowedError, NotFoundError
from core.backend.storage.tables import idempotency
from core.domain.card_money import LateReason, LateState, LinkState, Settlement
from core.domain.decisions import Verdict
from core.domain.enrollment import EnrollmentStatus
from core.domain.failures import FailureClass
from core.domain.roles import Role
from core.protocol.messages import LateMoneyRow, SettleLateMoney
from tests.backend.payments.shop import EFT, Shop, open_shop
from tests.support.card_provider import trouble
from tests.support.live_template import Template
from tests.support.watch import ExpectedLogs
from tests.support.workspace import Officer, open_node

_MISFIT = "another amount or for another transaction"


async def _settle(shop: Shop, by: Officer, how: Settlement, key: str | None = None) -> LateMoneyRow:
    body = SettleLateMoney(how=how, words="Paid back by hand, see the bank.")
    asker = by.identity.asking(key or str(uuid7()))
    return await shop.house.services.payments.settle(asker, shop.late()[0].id, body)


@pytest.mark.parametrize("cents", [124_999, 125_001, 0, None, -1, 10**12])
async def test_another_amount_opens_nothing(
    shop: Shop, cents: int | None, expected_logs: ExpectedLogs
) -> None:
    student = await shop.house.student()
    await shop.enroll(student)
    shop.provider.pay()
    shop.provider.lies = lambda status: replace(status, amount_cents=cents)
    with expected_logs(_MISFIT):
        result = await shop.confirm()
    assert result.answer == "late_money"
    assert not shop.has_access(student)
    assert shop.enrollment(student).status is EnrollmentStatus.PENDING
    (late,) = shop.late()
    assert late.reason is LateReason.WRONG_AMOUNT
    assert late.cents == (cents if cents in {124_999, 125_001, 0} else None)
    assert shop.entries()[-1].action == "card.late_money"
    assert late.index == result.index == shop.house.size() - 1
    assert await shop.confirmed() == "already"
    assert len(shop.late()) == 1
    shop.house.verify()


async def test_another_transaction_opens_nothing(shop: Shop, expected_logs: ExpectedLogs) -> None:
    student = await shop.house.student()
    await shop.enroll(student)
    shop.provider.pay()
    shop.provider.lies = lambda status: replace(status, external_id=str(uuid7()))
    with expected_logs(_MISFIT):
        assert await shop.confirmed() == "late_money"
    assert not shop.has_access(student)
    assert shop.late()[0].reason is LateReason.OTHER_TRANSACTION


async def test_an_answer_about_another_link_changes_nothing(
    shop: Shop, expected_logs: ExpectedLogs
) -> None:
    """Somebody else's paid link is no payment of this one, not even late money."""
    payer, other = [await shop.house.student() for _ in range(2)]
    await shop.enroll(payer)
    await shop.enroll(other)
    shop.provider.pay("link1")
    paid = shop.provider.links["link1"]
    before = shop.house.size()
    for lie in (paid, replace(paid, external_id=None)):
        shop.provider.lies = lambda _status, lie=lie: lie  # type: ignore[misc]  # bound at once
        with expected_logs("another link"):
            assert await shop.confirmed() == "unreachable"
    assert shop.house.size() == before
    assert not shop.has_access(other)


async def test_a_lost_link_cannot_be_confirmed_by_another_ones_payment(
    shop: Shop, expected_logs: ExpectedLogs
) -> None:
    payer, other = [await shop.house.student() for _ in range(2)]
    await shop.enroll(payer)
    shop.provider.down = trouble(FailureClass.NETWORK, unknown=True)
    await shop.enroll(other)
    shop.provider.down = None
    shop.provider.pay("link1")
    lost = shop.links()[-1]
    shop.provider.links["lie"] = replace(shop.provider.links["link1"], external_id=lost.external_id)
    with expected_logs("another link"):
        assert await shop.confirmed(lost) == "unreachable"
    assert not shop.has_access(other)


async def test_the_second_of_two_payments_is_late(shop: Shop) -> None:
    student = await shop.house.student()
    await shop.enroll(student)
    await shop.confirm(failure=FailureClass.DECLINED)
    await shop.start(student)
    first, second = shop.links()
    shop.provider.pay("link1")
    shop.provider.pay("link2")
    assert await shop.confirmed(second) == "approved"
    assert await shop.confirmed(first) == "late_money"
    (late,) = shop.late()
    assert (late.reason, late.cents, late.attempt) == (
        LateReason.ALREADY_PAID, shop.cents, first.attempt,
    )  # fmt: skip


async def test_money_for_what_was_rejected_meanwhile_waits_for_a_person(shop: Shop) -> None:
    student, officer = await shop.house.student(), await shop.house.officer()
    await shop.enroll(student)
    await shop.say_paid(student)
    assert (await shop.decide(officer, student, Verdict.REJECT)).kind == "accepted"
    shop.provider.pay()
    assert await shop.confirmed() == "late_money"
    assert not shop.has_access(student)
    assert shop.late()[0].reason is LateReason.NOT_PENDING


async def test_money_of_an_earlier_round_is_late(shop: Shop) -> None:
    student, officer = await shop.house.student(), await shop.house.officer()
    await shop.enroll(student)
    await shop.say_paid(student)
    await shop.decide(officer, student, Verdict.REJECT)
    await shop.enroll(student, EFT)
    shop.provider.pay()
    assert await shop.confirmed() == "late_money"
    assert shop.enrollment(student).status is EnrollmentStatus.PENDING
    assert shop.late()[0].reason is LateReason.OLD_ROUND


@pytest.mark.both_engines
async def test_a_callback_the_sweeper_and_a_person_at_once_on_two_nodes(
    live_template: Template, tmp_path: Path, database: str
) -> None:
    async with open_shop(live_template, tmp_path / "a") as shop:
        student = await shop.house.student()
        await shop.enroll(student)
        shop.provider.pay()
        (link,) = shop.links()
        shop.house.clock.advance(minutes=1)
        nodes = [shop.house.services]
        if database == "postgresql":
            async with open_node(shop.house, tmp_path / "b", card_provider=shop.provider) as other:
                answers = await _all_at_once(shop, [*nodes, other.services], link.attempt)
        else:
            answers = await _all_at_once(shop, nodes, link.attempt)
        assert sorted(answers)[:2] == ["already", "already"]
        assert shop.actions().count("enrollment.approved") == 1
        assert shop.late() == []
        assert shop.has_access(student)


async def _all_at_once(shop: Shop, nodes: list[Services], attempt: UUID) -> list[str]:
    asks = [node.confirmations.confirm(attempt=attempt) for node in nodes for _ in range(4)]
    results, _ = await asyncio.gather(asyncio.gather(*asks), shop.sweeper.sweep())
    found = [result.answer.value for result in results]
    # Whoever was first did it, perhaps the sweeper; everybody else found it done.
    assert found.count("approved") <= 1
    assert set(found) <= {"approved", "already"}
    return found


# --- settling ----------------------------------------------------------------------------------


async def _late(shop: Shop, expected_logs: ExpectedLogs, cents: int = 125_001) -> None:
    shop.provider.pay()
    shop.provider.lies = lambda status: replace(status, amount_cents=cents)
    with expected_logs(_MISFIT):
        assert await shop.confirmed() == "late_money"


@pytest.mark.both_engines
async def test_a_person_settles_it_with_a_reason(shop: Shop, expected_logs: ExpectedLogs) -> None:
    student, officer = await shop.house.student(), await shop.house.officer()
    await shop.enroll(student)
    await _late(shop, expected_logs)
    desk = shop.house.services.payments
    (row,) = (await desk.late_money(after=None, limit=10, open_only=True)).rows
    assert (row.student_name, row.cents, row.reason) == (
        "Lerato Khumalo", 125_001, LateReason.WRONG_AMOUNT,
    )  # fmt: skip
    version = shop.enrollment(student).version
    settled = await _settle(shop, officer, Settlement.REFUNDED, key="settle-it-once")
    assert (settled.state, settled.how, settled.by_name) == (
        LateState.SETTLED, Settlement.REFUNDED, "Thandi Mokoena",
    )  # fmt: skip
    assert settled.words == "Paid back by hand, see the bank."
    entry = shop.house.leaves()[-1]
    assert (entry.action, entry.before, entry.after) == ("late_money.settled", version, version)
    assert entry.subject == f"enrollment:{shop.enrollment(student).id}"
    answers = shop.house.services.reader.run_now(
        lambda c: str(c.execute(select(idempotency)).all())
    )
    for words in ("by hand", "Lerato"):
        assert words.encode() not in b"".join(shop.house.leaf_bytes())
        assert words not in answers
    assert await _settle(shop, officer, Settlement.REFUNDED, key="settle-it-once") == settled
    with pytest.raises(ConflictError, match="settled this already"):
        await _settle(shop, officer, Settlement.OTHER)
    assert (await desk.late_money(after=None, limit=10, open_only=True)).rows == ()
    assert len((await desk.late_money(after=None, limit=10, open_only=False)).rows) == 1
    assert not shop.has_access(student)
    shop.house.verify()


async def test_applied_money_waits_for_an_officers_signature(
    shop: Shop, expected_logs: ExpectedLogs
) -> None:
    student, officer = await shop.house.student(), await shop.house.officer()
    await shop.enroll(student)
    await _late(shop, expected_logs, cents=125_500)
    await _settle(shop, officer, Settlement.APPLIED)
    assert shop.actions()[-1] == "claim.recorded"
    assert not shop.has_access(student)
    row = await shop.house.row(shop.enrollment(student).id)
    assert row.claim is not None
    assert (row.claim.amount_cents, row.claim.method, row.waiting) == (125_500, "manual", True)
    assert (await shop.decide(officer, student)).kind == "accepted"
    assert shop.has_access(student)


async def test_what_cannot_be_applied_stays_open(shop: Shop, expected_logs: ExpectedLogs) -> None:
    student, officer = await shop.house.student(), await shop.house.officer()
    await shop.enroll(student)
    await shop.say_paid(student)
    await _late(shop, expected_logs)
    with pytest.raises(ConflictError, match="already waiting"):
        await _settle(shop, officer, Settlement.APPLIED)
    assert shop.late()[0].state is LateState.OPEN


async def test_who_may_not_settle(shop: Shop, expected_logs: ExpectedLogs) -> None:
    """The route asks for the role; so does the writer, should it have been taken away meanwhile."""
    await shop.enroll(await shop.house.student())
    await _late(shop, expected_logs)
    administrator = await shop.house.administrator()
    body = SettleLateMoney(how=Settlement.OTHER, words="Mine.")
    settle = shop.house.services.payments.settle
    with pytest.raises(NotAllowedError, match="officer or a supervisor"):
        await settle(administrator.asking("some-key-of-mine"), shop.late()[0].id, body)
    with pytest.raises(NotFoundError):
        await settle(administrator.asking("some-other-key"), uuid7(), body)
    assert shop.late()[0].state is LateState.OPEN


# --- the provider's history --------------------------------------------------------------------


@pytest.mark.both_engines
async def test_the_history_finds_what_nobody_told(shop: Shop, expected_logs: ExpectedLogs) -> None:
    """A payment of ours whose callback was lost, and one that is not ours at all."""
    student, supervisor = await shop.house.student(), await shop.house.officer(Role.SUPERVISOR)
    await shop.enroll(student)
    shop.provider.pay()
    shop.provider.foreign("till99")
    with expected_logs("do not know"):
        assert await shop.sweeper.compare() == 2
    assert shop.has_access(student)
    (late,) = shop.late()
    assert (late.reason, late.link_id, late.enrollment) == (
        LateReason.UNKNOWN_TRANSACTION, "till99", None,
    )  # fmt: skip
    assert shop.house.leaves()[-1].subject == f"late_money:{late.id}"
    assert await shop.sweeper.compare() == 0
    assert len(shop.late()) == 1
    with pytest.raises(ConflictError, match="cannot be applied"):
        await _settle(shop, supervisor, Settlement.APPLIED)
    await _settle(shop, supervisor, Settlement.OTHER)
    shop.house.verify()


async def test_a_second_link_in_the_name_of_our_transaction(
    shop: Shop, expected_logs: ExpectedLogs
) -> None:
    student = await shop.house.student()
    await shop.enroll(student)
    ours = shop.provider.links["link1"]
    shop.provider.links["twin"] = LinkStatus(
        link_id="twin", word="PAID", paid=True, amount_cents=shop.cents,
        external_id=ours.external_id, created_at=None, description="",
    )  # fmt: skip
    with expected_logs("do not know"):
        await shop.sweeper.compare()
    (late,) = shop.late()
    assert (late.reason, late.enrollment) == (
        LateReason.OTHER_TRANSACTION, shop.enrollment(student).id,
    )  # fmt: skip
    assert shop.links()[0].state is LinkState.OPEN
    assert not shop.has_access(student)
