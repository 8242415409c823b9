"""What becomes of callbacks after they were answered: tried, tried again, parked for a person."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from uuid_utils.compat import uuid7

from core.backend.gateway.ikpay import Patience
from core.backend.services.confirmations import Confirmations
from core.backend.services.errors import BusyError
from core.backend.services.webhook_worker import LEASE, DeliveryWorker
from core.backend.services.webhooks import CallbackRefusedError
from core.backend.storage import webhooks
from core.backend.storage.webhook_records import Delivery
from core.domain.enrollment import AttemptStatus
from core.domain.failures import FailureClass
from core.domain.webhooks import MAX_TRIES, RETRY_DELAYS, DeliveryState
from tests.backend.payments.shop import open_shop
from tests.backend.webhooks.letters import KEYS, PREVIOUS, compact, fields
from tests.backend.webhooks.office import Office
from tests.support.card_provider import trouble
from tests.support.live_template import Template
from tests.support.waiting import until
from tests.support.watch import ExpectedLogs

DEAD = "a callback waits for a person"
WAITING, DONE = DeliveryState.WAITING, DeliveryState.DONE


@pytest.mark.req("8.3")
@pytest.mark.both_engines
async def test_what_fails_is_tried_again_ever_later_and_then_parked(
    office: Office, expected_logs: ExpectedLogs
) -> None:
    """Each try is kept: when, what came of it, and in words."""
    student, clock = await office.student(), office.shop.house.clock
    office.shop.provider.pay()
    office.shop.provider.down = trouble()
    await office.called_back()
    size, began = office.shop.house.size(), clock.now
    for wait in RETRY_DELAYS:
        assert await office.work() == 1
        assert office.delivery().next_try_at == clock.now + wait
        clock.advance(seconds=wait.total_seconds() - 1)
        assert await office.work() == 0
        clock.advance(seconds=1)
    with expected_logs(DEAD):
        assert await office.work() == 1
    dead = office.delivery()
    assert (dead.state, dead.outcome, dead.next_try_at) == (DeliveryState.DEAD, "unreachable", None)
    assert dead.message == "The provider does not answer."
    tries = office.tries(dead.id)
    assert [t.n for t in tries] == list(range(1, MAX_TRIES + 1))
    assert tries[0].at == began
    assert tries[-1].at == clock.now
    assert {(t.outcome, t.message) for t in tries} == {(dead.outcome, dead.message)}
    clock.advance(days=30)
    assert await office.work() == 0
    assert office.shop.house.size() == size
    assert not office.shop.has_access(student)


@pytest.mark.req("8.3")
async def test_a_later_try_gets_through(office: Office) -> None:
    student = await office.student()
    office.shop.provider.pay()
    office.shop.provider.down = trouble()
    await office.called_back()
    await office.work()
    office.shop.provider.down = None
    office.shop.house.clock.advance(seconds=10)
    assert await office.work() == 1
    assert office.shop.has_access(student)
    assert [t.outcome for t in office.tries(office.delivery().id)] == ["unreachable", "approved"]


async def test_what_cannot_get_better_is_parked_at_once(
    office: Office, expected_logs: ExpectedLogs
) -> None:
    await office.student()
    office.shop.provider.down = trouble(FailureClass.CONFIGURATION, retryable=False)
    await office.called_back()
    with expected_logs(DEAD):
        await office.work()
    assert office.delivery().state is DeliveryState.DEAD


async def test_the_status_may_come_later_than_the_callback(office: Office) -> None:
    """Said to be paid, and the provider does not know it yet: nothing opens, it asks again."""
    student = await office.student()
    await office.called_back()
    await office.work()
    assert not office.shop.has_access(student)
    assert (office.delivery().state, office.delivery().outcome) == (WAITING, "not_paid")
    assert office.shop.enrollment(student).attempts[0].status is AttemptStatus.OPEN
    office.shop.provider.pay()
    office.shop.house.clock.advance(seconds=10)
    await office.work()
    assert office.shop.has_access(student)


async def test_a_failure_after_the_payment_undoes_nothing(office: Office) -> None:
    student = await office.student()
    office.shop.provider.pay()
    await office.called_back(success=False, code="51")
    await office.work()
    assert office.shop.has_access(student)
    await office.called_back()
    await office.work()
    assert [d.outcome for d in office.deliveries()] == ["approved", "already"]


@pytest.mark.parametrize("named", ["other attempt", "other link", "nothing known"])
async def test_a_link_and_a_payment_that_do_not_belong_together(
    office: Office, expected_logs: ExpectedLogs, named: str
) -> None:
    """Rightly signed or not: a failure of one is not kept against the other."""
    await office.student()
    await office.student()
    mine, other = office.shop.links()
    assert mine.link_id is not None
    assert other.link_id is not None
    office.shop.provider.pay(other.link_id)
    size = office.shop.house.size()
    said = {
        "other attempt": fields(mine.link_id, other.attempt, success=False, code="05"),
        "other link": fields(other.link_id, mine.attempt),
        "nothing known": fields("nobodys", mine.attempt, success=False),
    }[named]
    await office.receive(compact(said))
    with expected_logs(DEAD):
        await office.work()
    assert (office.delivery().state, office.delivery().outcome) == (DeliveryState.DEAD, "mismatch")
    assert office.shop.house.size() == size


async def test_what_nobody_knows_is_asked_about_again_and_then_parked(
    office: Office, expected_logs: ExpectedLogs
) -> None:
    await office.receive(compact(fields("nobodys", uuid7())))
    await office.receive(compact(fields("nobodys", "till-7")))
    with expected_logs(DEAD):
        for _ in range(MAX_TRIES):
            assert await office.work() == 2
            office.shop.house.clock.advance(hours=8)
    assert {(d.state, d.outcome) for d in office.deliveries()} == {(DeliveryState.DEAD, "unknown")}


@pytest.mark.both_engines
async def test_signed_rubbish_is_kept_for_a_person(
    office: Office, expected_logs: ExpectedLogs
) -> None:
    rubbish = [
        b"", b"\x00", b"{}", b"\xff", b'{"paylinkID":"x","status":"MAYBE"}',
        compact(fields("a\x00b")), compact(fields("x" * 101)), b'{"a":1,"a":2}', b"a=1&a=2",
    ]  # fmt: skip
    for raw in rubbish:
        assert await office.receive(raw)
    await office.receive(compact({**fields("fine", "\x00"), "responseCode": "\x00"}))
    with expected_logs(DEAD):
        while await office.work():
            pass
    found = office.deliveries()
    assert len(found) == len(rubbish) + 1
    assert {d.outcome for d in found[:-1]} == {"unreadable"}
    assert (found[-1].link_id, found[-1].external_id, found[-1].code) == ("fine", None, None)
    for raw, delivery in zip(rubbish, found, strict=False):
        detail = await office.shop.house.services.webhook_desk.detail(delivery.id)
        assert detail.body == raw.decode(errors="replace")


async def test_the_secret_before_signs_too(office: Office) -> None:
    await office.student()
    link = office.shop.links()[0]
    assert await office.receive(
        compact(fields(link.link_id or "", link.attempt, success=False)), secret=PREVIOUS
    )


async def test_the_path_that_was_sent_is_the_path_that_is_signed(
    live_template: Template, tmp_path: Path
) -> None:
    """Behind a proxy that takes a part of it away, too."""
    address = "https://pay.college.example/bursar/"
    async with open_shop(
        live_template, tmp_path / "h", callback_keys=KEYS, public_url=address
    ) as shop:
        office = Office(shop)
        await office.student()
        sent = shop.provider.requests[-1].callback_url
        assert sent == "https://pay.college.example/bursar/webhooks/ikhokha"
        with pytest.raises(CallbackRefusedError):
            await office.receive(b"{}")
        assert await office.receive(b"{}", path="/bursar/webhooks/ikhokha")
        office.handler.alerts._noted.clear()  # it is the path that matters here


# --- crashes -------------------------------------------------------------------------------------


async def test_what_was_answered_survives_the_end_of_the_process(
    live_template: Template, tmp_path: Path
) -> None:
    async with open_shop(live_template, tmp_path / "h", callback_keys=KEYS) as shop:
        office = Office(shop)
        student, provider = await office.student(), shop.provider
        provider.pay()
        await office.called_back()
    async with open_shop(
        live_template, tmp_path / "h", provider, callback_keys=KEYS, clock=shop.house.clock
    ) as shop:
        assert await Office(shop).work() == 1
        assert shop.has_access(student)


async def test_what_died_in_the_middle_is_taken_over_after_its_lease(
    office: Office, expected_logs: ExpectedLogs
) -> None:
    """One that kills whoever works on it is not tried for ever."""
    student, clock = await office.student(), office.shop.house.clock
    office.shop.provider.pay()
    await office.called_back()

    async def die() -> list[Delivery]:
        return await office.shop.house.services.writer.run(
            lambda c: webhooks.take_due(c, now=clock.now, lease=LEASE, limit=9)
        )

    (taken,) = await die()
    assert await office.work() == 0
    clock.advance(seconds=LEASE.total_seconds())
    for _ in range(MAX_TRIES - 1):
        assert len(await die()) == 1
        clock.advance(seconds=LEASE.total_seconds())
    with expected_logs(DEAD):
        assert await office.work() == 1
    assert (office.delivery().outcome, office.delivery().tries) == ("lost", MAX_TRIES + 1)
    assert not office.shop.has_access(student)
    # Whoever wakes up late has nothing to say any more.
    worker = office.handler.worker
    await worker._see_to(taken)
    assert office.delivery().outcome == "lost"
    assert [t.n for t in office.tries(taken.id)] == [1, MAX_TRIES + 1]


class Broken(Confirmations):
    """Fails in ways that nobody thought of, then works."""

    def __init__(self, real: Confirmations, *errors: Exception) -> None:
        self._real = real
        self._errors = list(errors)

    async def confirm(self, **asked: object) -> object:  # type: ignore[override]  # passed through
        if self._errors:
            raise self._errors.pop(0)
        return await self._real.confirm(**asked)  # type: ignore[arg-type]  # as above


async def test_a_bug_costs_one_try_and_is_logged_without_what_it_handled(
    office: Office, expected_logs: ExpectedLogs
) -> None:
    student = await office.student()
    office.shop.provider.pay()
    services = office.shop.house.services
    worker = office.handler.worker
    worker._confirmations = Broken(
        services.confirmations, RuntimeError("Lerato"), BusyError("busy", "Busy.")
    )
    await office.called_back()
    with expected_logs("could not be worked on"):
        await office.work()
    for _ in range(2):
        office.shop.house.clock.advance(minutes=2)
        await office.work()
    tries = office.tries(office.delivery().id)
    assert [t.outcome for t in tries] == ["RuntimeError", "BusyError", "approved"]
    assert not any("Lerato" in t.message for t in tries)
    assert office.shop.has_access(student)


# --- by itself -----------------------------------------------------------------------------------


async def test_it_runs_by_itself_and_one_slow_answer_holds_up_nobody(office: Office) -> None:
    first, second = [await office.student() for _ in range(2)]
    slow, quick = office.shop.links()
    office.shop.provider.pay(slow.link_id)
    office.shop.provider.pay(quick.link_id)
    asked, go = asyncio.Event(), asyncio.Event()
    status = office.shop.provider.link_status

    async def link_status(link_id: str) -> object:
        if link_id == slow.link_id:
            asked.set()
            await go.wait()
        return await status(link_id)

    office.shop.provider.link_status = link_status  # type: ignore[method-assign, assignment]  # as the port says
    office.handler.start()
    for link in (slow, quick):
        await office.receive(compact(fields(link.link_id or "", link.attempt)))
    await asked.wait()
    await until(lambda: office.shop.has_access(second))
    assert not office.shop.has_access(first)
    go.set()
    await until(lambda: {d.state for d in office.deliveries()} == {DONE})
    assert office.shop.has_access(first)


async def test_a_database_that_is_away_for_a_moment_ends_nothing(
    office: Office, expected_logs: ExpectedLogs
) -> None:
    student = await office.student()
    office.shop.provider.pay()
    services = office.shop.house.services
    worker = DeliveryWorker(
        reader=services.reader, writer=services.writer, confirmations=services.confirmations,
        clock=office.shop.house.clock, chance=lambda: 0.5, poll_seconds=0.01,
    )  # fmt: skip
    take, errors = worker._take, iter([OSError("a cable")])

    async def failing(limit: int) -> list[Delivery]:
        error = next(errors, None)
        if error is not None:
            raise error
        return await take(limit)

    worker._take = failing  # type: ignore[method-assign]  # a fault at the database
    await office.called_back()
    with expected_logs("could not be taken"):
        worker.start()
        await until(lambda: office.shop.has_access(student))
    await worker.stop()


async def test_a_try_that_could_not_be_kept_comes_again(
    office: Office, expected_logs: ExpectedLogs
) -> None:
    student = await office.student()
    office.shop.provider.pay()
    await office.called_back()
    kept = office.handler.worker._kept
    kept._max_waiting = 0
    with expected_logs("could not be kept"):
        await office.work()
    kept._max_waiting = 100
    assert office.shop.has_access(student)
    assert office.delivery().state is WAITING
    office.shop.house.clock.advance(seconds=LEASE.total_seconds())
    await office.work()
    assert (office.delivery().state, office.delivery().outcome) == (DONE, "already")
    assert office.shop.actions().count("enrollment.approved") == 1


# --- kept for a time -----------------------------------------------------------------------------


async def test_what_is_done_with_is_forgotten_and_dead_letters_are_not(
    office: Office, expected_logs: ExpectedLogs
) -> None:
    await office.student()
    await office.called_back(success=False, code="05")
    await office.receive(b"rubbish")
    with expected_logs(DEAD):
        await office.work()
    tidy = office.shop.house.services.housekeeping.tidy
    office.shop.house.clock.advance(days=399)
    await tidy()
    assert len(office.deliveries()) == 2
    office.shop.house.clock.advance(days=2)
    await tidy()
    assert [d.outcome for d in office.deliveries()] == ["unreadable"]
    assert office.tries(office.delivery().id)


def test_the_lease_is_longer_than_asking_can_take() -> None:
    patience = Patience()
    pauses = sum(patience.pause(tried) for tried in range(1, patience.tries))
    assert LEASE.total_seconds() > patience.answer_seconds * patience.tries + pauses
