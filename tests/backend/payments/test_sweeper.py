"""The sweeper: every link that is not final is looked at, by the schedule, whatever was lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.backend.services.confirmations import DAILY, DELAYS, Answer
from core.backend.services.sweeper import CardSweeper
from core.backend.storage.payments import GIVE_UP_AFTER
from core.domain.card_money import LinkState
from core.domain.enrollment import AttemptStatus
from core.domain.failures import FailureClass
from tests.backend.payments.shop import Shop
from tests.support.card_provider import ScriptedProvider, trouble
from tests.support.waiting import until
from tests.support.watch import ExpectedLogs


async def test_each_link_is_asked_about_by_the_schedule(shop: Shop) -> None:
    await shop.enroll(await shop.house.student())
    for waits in (*DELAYS, DAILY, DAILY):
        shop.house.clock.advance(seconds=(waits - timedelta(seconds=1)).total_seconds())
        assert await shop.sweeper.sweep() == 0
        shop.house.clock.advance(seconds=1)
        assert await shop.sweeper.sweep() == 1
    (link,) = shop.links()
    assert (link.asks, link.word, link.state, link.final) == (6, "UNPAID", LinkState.OPEN, False)
    assert link.asked_at == shop.house.clock.now


async def test_what_others_ask_does_not_move_its_turn(shop: Shop) -> None:
    await shop.enroll(await shop.house.student())
    due = shop.links()[0].next_ask_at
    assert await shop.confirmed() == "not_paid"
    assert shop.links()[0].next_ask_at == due


@pytest.mark.both_engines
@pytest.mark.req("8.1")
async def test_with_every_callback_lost_whoever_paid_is_let_in(shop: Shop) -> None:
    """Superseded links, too."""
    students = [await shop.house.student() for _ in range(12)]
    for student in students:
        await shop.enroll(student)
    await shop.confirm(shop.links()[0], failure=FailureClass.DECLINED)
    await shop.start(students[0])
    paying = ("link1", "link3", "link5", "link12")
    for link in paying:
        shop.provider.pay(link)
    shop.house.clock.advance(minutes=1)
    assert await shop.sweeper.sweep() == 13
    assert [shop.has_access(s) for s in students] == [
        f"link{n}" in paying for n in range(1, 13)
    ]  # fmt: skip
    assert await shop.sweeper.sweep() == 0


async def test_an_unreachable_provider_ends_the_round_and_nothing_else(shop: Shop) -> None:
    students = [await shop.house.student() for _ in range(9)]
    for student in students:
        await shop.enroll(student)
    shop.house.clock.advance(minutes=1)
    shop.provider.down = trouble()
    assert await shop.sweeper.sweep() == 8  # the first handful, and no more
    assert {link.asks for link in shop.links()} == {0}
    shop.provider.down = None
    assert await shop.sweeper.sweep() == 0  # taken for a while
    shop.house.clock.advance(minutes=2)
    assert await shop.sweeper.sweep() == 9


async def test_one_link_that_the_provider_refuses_holds_up_nobody(shop: Shop) -> None:
    student = await shop.house.student()
    await shop.enroll(student)
    shop.provider.down = trouble(FailureClass.CONFIGURATION, retryable=False)
    shop.house.clock.advance(minutes=1)
    assert await shop.sweeper.sweep() == 1
    (link,) = shop.links()
    assert (link.asks, link.state, link.word) == (1, LinkState.OPEN, "")
    assert link.next_ask_at == shop.house.clock.now + DELAYS[1]


async def test_an_attempt_that_never_reached_the_provider_is_given_up(shop: Shop) -> None:
    student = await shop.house.student()
    shop.provider.down = trouble(FailureClass.NETWORK, unknown=True)
    await shop.enroll(student)
    shop.provider.down = None
    for _ in range(GIVE_UP_AFTER):
        assert not shop.links()[0].final
        shop.house.clock.advance(days=1)
        assert await shop.sweeper.sweep() == 1
    (link,) = shop.links()
    assert (link.state, link.final, link.next_ask_at) == (LinkState.GONE, True, None)
    assert [a.status for a in shop.enrollment(student).attempts] == [AttemptStatus.FAILED]


async def test_a_lost_link_is_found_again_and_watched(shop: Shop) -> None:
    """The create call was carried out and its answer lost: should it be paid, it counts."""
    student = await shop.house.student()

    def lose_the_answer(where: str) -> None:
        if where == "after create":
            raise trouble(FailureClass.NETWORK, unknown=True)

    shop.provider.fault = lose_the_answer
    payment = await shop.enroll(student)
    assert payment.card_payment is not None
    assert payment.card_payment.state == "failed"
    shop.house.clock.advance(minutes=1)
    await shop.sweeper.sweep()
    (link,) = shop.links()
    assert (link.link_id, link.url, link.state) == ("link1", None, LinkState.OPEN)
    shop.provider.pay("link1")
    shop.house.clock.advance(minutes=5)
    await shop.sweeper.sweep()
    assert shop.has_access(student)


async def test_a_callback_before_the_create_call_returns(shop: Shop) -> None:
    student = await shop.house.student()
    early: list[Answer] = []

    async def callback() -> None:
        early.append(await shop.confirmed())

    original = shop.provider.create_link

    async def create_link(request: object) -> object:
        made = await original(request)  # type: ignore[arg-type]  # passed through
        shop.provider.pay()
        await callback()
        return made

    shop.provider.create_link = create_link  # type: ignore[method-assign, assignment]  # as above
    payment = await shop.enroll(student)
    assert early == ["approved"]
    assert payment.card.label == "Continue Course"
    assert payment.card_payment is None
    assert shop.links()[0].state is LinkState.PAID


async def test_links_of_another_provider_are_left_alone(shop: Shop) -> None:
    await shop.enroll(await shop.house.student())
    shop.provider.pay()
    other = ScriptedProvider(name="another")
    services = shop.house.services
    sweeper = CardSweeper(
        reader=services.reader, writer=services.writer, provider=other,
        confirmations=services.confirmations, clock=shop.house.clock,
        new_id=services.config.new_id,
    )  # fmt: skip
    shop.house.clock.advance(days=1)
    assert await sweeper.sweep() == 0
    shop.provider.name = "renamed"
    assert await shop.confirmed() == "unreachable"


async def test_it_runs_by_itself_and_survives_trouble(
    shop: Shop, expected_logs: ExpectedLogs
) -> None:
    student = await shop.house.student()
    await shop.enroll(student)
    shop.provider.pay()
    shop.house.clock.advance(minutes=1)
    services = shop.house.services
    sweeper = CardSweeper(
        reader=services.reader, writer=services.writer, provider=shop.provider,
        confirmations=services.confirmations, clock=shop.house.clock,
        new_id=services.config.new_id, poll_seconds=0.01,
    )  # fmt: skip
    failures = iter([OSError("a cable"), trouble()])

    def fail_twice(where: str) -> None:
        error = next(failures, None) if where == "history" else None
        if error is not None:
            shop.house.clock.advance(minutes=10)  # its next turn
            raise error

    shop.provider.fault = fail_twice
    with expected_logs("could not be swept: OSError"):
        sweeper.start()
        await until(lambda: shop.has_access(student))
        await until(lambda: sweeper._compared)
        await sweeper.stop()
    first, _, third = shop.provider.days
    assert (first[1] - first[0]).days == (third[1] - third[0]).days == 31
    shop.provider.fault = lambda _where: None
    await sweeper.compare()
    last = shop.provider.days[-1]
    assert (last[1] - last[0]).days == 3


async def test_an_absurd_history_is_read_as_far_as_it_makes_sense(
    shop: Shop, expected_logs: ExpectedLogs
) -> None:
    for link, cents in (("", 1), ("x" * 101, 1), ("fine", -5), ("huge", 10**15)):
        shop.provider.foreign(link, cents)
    shop.provider.links["unpaid"] = replace(
        shop.provider.links["fine"], link_id="unpaid", paid=False
    )
    with expected_logs("do not know"):
        assert await shop.sweeper.compare() == 2
    assert {(m.link_id, m.cents) for m in shop.late()} == {("fine", None), ("huge", None)}
