"""A student pays by card: one enrollment, a link, a confirmation, and access."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.backend.services.errors import ConflictError, InvalidError, NotFoundError
from core.backend.services.orchestrator import SimulatedProviderError
from core.domain.card_money import LinkState
from core.domain.enrollment import AttemptStatus, EnrollmentStatus
from core.domain.failures import FailureClass, explain
from tests.backend.payments.shop import CARD, EFT, Shop, open_shop
from tests.support.card_provider import ScriptedProvider, trouble
from tests.support.live_template import Template
from tests.support.workspace import House, open_house


@pytest.mark.req("1.3", "1.4")
async def test_enroll_now_by_card_gives_a_link_and_one_pending_enrollment(shop: Shop) -> None:
    student = await shop.house.student()
    payment = await shop.enroll(student)
    assert payment.card_payment is not None
    assert (payment.card_payment.state, payment.card_payment.url) == (
        "open", "https://pay.example/1",
    )  # fmt: skip
    assert payment.methods == (CARD, EFT)
    assert payment.bank is not None
    assert payment.bank.reference  # the other way stays open
    (request,) = shop.provider.requests
    (link,) = shop.links()
    assert request.external_id == link.external_id == str(link.attempt)
    assert (request.amount_cents, link.state, link.link_id) == (shop.cents, "open", "link1")
    assert request.description.isascii()
    assert request.callback_url == "http://127.0.0.1/webhooks/ikhokha"
    enrollment = shop.enrollment(student)
    assert (enrollment.status, enrollment.method) == (EnrollmentStatus.PENDING, CARD)
    assert shop.actions() == ["enrollment.enrolled", "card.started"]


@pytest.mark.req("2.1", "2.2", "8.1")
@pytest.mark.both_engines
async def test_a_confirmed_payment_opens_the_course_at_once(shop: Shop) -> None:
    student = await shop.house.student()
    await shop.enroll(student)
    shop.provider.pay()
    result = await shop.confirm()
    assert result.answer == "approved"
    assert shop.has_access(student)
    assert (await shop.card(student)).label == "Continue Course"
    entry = shop.house.leaves()[-1]
    assert (entry.action, entry.actor) == ("enrollment.approved", "gateway")
    assert result.index == shop.house.size() - 1
    assert entry.facts["cents"] == shop.cents
    (link,) = shop.links()
    assert (link.state, link.final, link.next_ask_at) == (LinkState.PAID, True, None)
    with pytest.raises(ConflictError, match="approved"):
        await shop.start(student)
    shop.house.verify()


async def test_one_request_asked_again_is_one_attempt(shop: Shop) -> None:
    student = await shop.house.student()
    first = await shop.enroll(student, key="the-same-key")
    again = await shop.enroll(student, key="the-same-key")
    assert again == first
    started = await asyncio.gather(*(shop.start(student, key="another-key") for _ in range(5)))
    assert all(payment == first for payment in started)
    assert len(shop.links()) == len(shop.provider.requests) == 1


@pytest.mark.both_engines
async def test_five_tabs_at_once_share_one_link(shop: Shop) -> None:
    """Two links would let somebody pay twice."""
    student = await shop.house.student()
    payments = await asyncio.gather(*(shop.enroll(student, key=f"tab-{i:07}") for i in range(5)))
    assert {p.card_payment.url for p in payments if p.card_payment} == {"https://pay.example/1"}
    assert len(shop.links()) == 1


@pytest.mark.req("7.1", "7.2", "7.3", "8.2")
async def test_a_failure_is_told_and_the_retry_is_on_the_same_enrollment(shop: Shop) -> None:
    student = await shop.house.student()
    first = await shop.enroll(student)
    result = await shop.confirm(failure=FailureClass.INSUFFICIENT_FUNDS)
    assert result.answer == "failed"
    enrollment = shop.enrollment(student)
    assert enrollment.status is EnrollmentStatus.PENDING
    assert enrollment.attempts[0].failure == "insufficient_funds"
    assert shop.entries()[-1].facts["failure"] == "insufficient_funds"
    told = (await shop.payment(student)).card_payment
    assert told is not None
    expected = explain(FailureClass.INSUFFICIENT_FUNDS)
    assert (told.state, told.message, told.retry) == ("failed", expected.message, True)
    card = await shop.card(student)
    assert expected.message in card.message
    assert (card.action, card.enabled) == ("pay", True)

    second = await shop.start(student)
    assert second.card.enrollment == first.card.enrollment == enrollment.id
    assert second.card_payment is not None
    assert second.card_payment.url == "https://pay.example/2"
    shop.provider.pay()
    assert await shop.confirmed() == "approved"
    assert shop.has_access(student)


async def test_a_link_that_failed_can_still_be_paid(shop: Shop) -> None:
    """FAILURE is not final: the provider takes money on it for ever."""
    student = await shop.house.student()
    await shop.enroll(student)
    old = shop.links()[0]
    await shop.confirm(failure=FailureClass.DECLINED)
    await shop.start(student)
    shop.provider.pay("link1")
    assert await shop.confirmed(old) == "approved"
    assert shop.has_access(student)
    assert [a.status for a in shop.enrollment(student).attempts] == [
        AttemptStatus.PAID, AttemptStatus.OPEN,
    ]  # fmt: skip


async def test_after_three_failures_a_person_may_be_asked(shop: Shop) -> None:
    student = await shop.house.student()
    await shop.enroll(student)
    for tried in range(3):
        assert not (await shop.card(student)).can_ask
        with pytest.raises(ConflictError, match="by card again"):
            await shop.ask_manual(student)
        await shop.confirm(failure=FailureClass.DECLINED)
        if tried < 2:
            await shop.start(student)
    assert (await shop.card(student)).can_ask
    card = await shop.ask_manual(student)
    assert (card.label, card.can_ask) == ("Pending Approval", False)
    assert await shop.ask_manual(student) == card
    assert shop.actions()[-1] == "claim.manual_asked"
    officer = await shop.house.officer()
    assert (await shop.decide(officer, student)).kind == "accepted"
    assert shop.has_access(student)


async def test_card_and_eft_live_together_and_the_first_money_counts(shop: Shop) -> None:
    student = await shop.house.student()
    await shop.enroll(student)
    card = await shop.say_paid(student)
    assert card.label == "Pending Approval"
    shop.provider.pay()
    assert await shop.confirmed() == "approved"
    pending = await shop.house.services.approval.pending(after=None, limit=10)
    assert pending.rows == ()
    claim = shop.enrollment(student).claim
    assert claim is not None
    assert claim.status == "superseded"


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (trouble(FailureClass.CONFIGURATION, retryable=False), LinkState.FAILED),
        (trouble(FailureClass.NETWORK, unknown=True), LinkState.CREATING),
        (trouble(FailureClass.DUPLICATE, retryable=False), LinkState.CREATING),
    ],
    ids=["refused", "no answer", "known there already"],
)
async def test_a_provider_that_makes_no_link(
    shop: Shop, error: Exception, state: LinkState
) -> None:
    """Told at once; what may yet exist at the provider is watched."""
    student = await shop.house.student()
    shop.provider.down = error  # type: ignore[assignment]  # pytest's parameters lose the type
    payment = await shop.enroll(student)
    assert payment.card_payment is not None
    assert payment.card_payment.state == "failed"
    assert payment.card_payment.message
    (link,) = shop.links()
    assert (link.state, link.final) == (state, state is LinkState.FAILED)
    shop.provider.down = None
    again = await shop.start(student)
    assert again.card_payment is not None
    assert again.card_payment.state == "open"


async def test_back_from_the_pay_page_the_provider_is_asked(shop: Shop) -> None:
    student = await shop.house.student()
    await shop.enroll(student)
    assert (await shop.check(student)).label == "Enroll Now"
    shop.provider.pay()
    assert (await shop.check(student)).label == "Enroll Now"  # asked a moment ago
    shop.house.clock.advance(seconds=10)
    assert (await shop.check(student)).label == "Continue Course"
    assert len(shop.provider.asked) == 2
    assert (await shop.check(student)).label == "Continue Course"
    assert len(shop.provider.asked) == 2


async def test_what_is_not_there_is_refused(shop: Shop, house: House) -> None:
    student = await shop.house.student()
    for ask in (shop.start(student), shop.check(student), shop.ask_manual(student)):
        with pytest.raises(NotFoundError, match="enroll first"):
            await ask
    without = await house.student()
    course = house.courses[0].id
    with pytest.raises(InvalidError, match="not offered"):
        await house.services.orchestrator.start_card(without, course, key="a-long-key")


@pytest.mark.req("5.1", "5.2")
async def test_production_takes_no_simulated_provider(
    live_template: Template, tmp_path: Path
) -> None:
    folder = tmp_path / "h"
    with pytest.raises(SimulatedProviderError, match="real money"):
        async with open_house(
            live_template, folder, production=True, card_provider=ScriptedProvider()
        ):
            pass
    live = ScriptedProvider(live=True)
    async with open_shop(live_template, folder, live, production=True) as shop:
        assert (await shop.enroll(await shop.house.student())).card_payment is not None
