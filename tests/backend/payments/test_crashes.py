"""Cut off between any two steps, nothing is lost: the sweeper and another try heal it.

Each step is a call at one of our own ports: the provider's, and the writer's. The fuse burns at the
n-th of them; what was begun there simply ends, as it does when a machine dies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest
from sqlalchemy import Connection
from uuid_utils.compat import uuid7

from core.backend.services.card_links import CardAddresses, CardLinks
from core.backend.services.confirmations import Confirmations
from core.backend.services.deciders import decide
from core.backend.services.identities import StudentIdentity
from core.backend.services.orchestrator import ProductionPaymentOrchestrator
from core.backend.services.sweeper import CardSweeper
from core.backend.storage.command import Command, Outcome
from core.backend.storage.writer import Writer
from core.domain.card_money import LinkState
from core.domain.enrollment import AttemptStatus
from core.domain.routing import PaymentMethodRouter
from tests.backend.payments.shop import CARD, EFT, Shop
from tests.support.card_provider import nothing

_T = TypeVar("_T")
# Of the flow below: one more than it has, so that the last run goes through.
STEPS = range(1, 13)


class CutOffError(Exception):
    """The machine died here."""


class Fuse:
    """Burns at the step of this number."""

    def __init__(self, burns_at: int) -> None:
        self.left = burns_at
        self.burnt = ""

    def __call__(self, where: str) -> None:
        self.left -= 1
        if self.left == 0:
            self.burnt = where
            raise CutOffError(where)


class FusedWriter(Writer):
    """Cut off before a write, or after it and before anybody hears of it."""

    fuse: Callable[[str], None] = staticmethod(nothing)

    async def submit(self, command: Command) -> Outcome:
        self.fuse(f"before {type(command).__name__}")
        outcome = await super().submit(command)
        self.fuse(f"after {type(command).__name__}")
        return outcome

    async def run(self, work: Callable[[Connection], _T]) -> _T:
        self.fuse("before a note")
        result = await super().run(work)
        self.fuse("after a note")
        return result


class Node:
    """The card services of a node that will die, over the shop's database and provider."""

    def __init__(self, shop: Shop, fuse: Fuse) -> None:
        services = shop.house.services
        clock, reader = shop.house.clock, services.reader
        self._provider = shop.provider
        self._fuse = fuse
        self.writer = FusedWriter(services.engine, decide=decide, now=clock, new_id=uuid7)
        self.confirmations = Confirmations(
            reader=reader, writer=self.writer, provider=shop.provider, clock=clock
        )
        self.links = CardLinks(
            reader=reader, writer=self.writer, provider=shop.provider,
            confirmations=self.confirmations, addresses=CardAddresses("http://127.0.0.1"),
        )  # fmt: skip
        self.orchestrator = ProductionPaymentOrchestrator(
            reader=reader, writer=self.writer,
            router=PaymentMethodRouter(offered=frozenset({CARD, EFT})),
            confirmations=self.confirmations, links=self.links, production=False,
            clock=clock, new_id=uuid7, random_bytes=services.config.random_bytes,
        )  # fmt: skip
        self.sweeper = CardSweeper(
            reader=reader, writer=self.writer, provider=shop.provider,
            confirmations=self.confirmations, clock=clock, new_id=uuid7,
        )  # fmt: skip

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Until the fuse burns, or the end."""
        self.writer.fuse = self._provider.fault = self._fuse
        try:
            yield
        except CutOffError:
            pass
        finally:
            self.writer.fuse = self._provider.fault = nothing
            self.writer.close()


async def _heal(shop: Shop, student: StudentIdentity) -> None:
    """The machine is up again: the sweeper looks, the student tries until a page is there."""
    shop.house.clock.advance(minutes=3)
    await shop.sweeper.sweep()
    if shop.has_access(student):
        return
    payment = await shop.enroll(student)
    assert payment.card_payment is not None
    assert payment.card_payment.url is not None, "a student without a way to pay"
    shop.provider.pay("link" + payment.card_payment.url.rpartition("/")[2])
    shop.house.clock.advance(minutes=6)  # its second turn
    await shop.sweeper.sweep()


def _assert_whole(shop: Shop, student: StudentIdentity, *, enrolled: int = 1) -> None:
    """Access, by one approval; every cent accounted for; nothing hangs."""
    assert shop.has_access(student)
    assert shop.actions().count("enrollment.approved") == 1
    assert shop.actions().count("enrollment.enrolled") == enrolled
    paid_there = {name for name, link in shop.provider.links.items() if link.paid}
    links = shop.links()
    assert {link.link_id for link in links if link.state is LinkState.PAID} == paid_there
    assert len(paid_there) == 1 + len(shop.late())
    attempts = {a.id: a.status for a in shop.enrollment(student).attempts}
    for link in links:
        tried = attempts.get(link.attempt)  # not the other student's
        stuck = link.url is None and tried is AttemptStatus.OPEN
        assert not stuck, "an attempt that nobody can pay and nobody gave up"
    shop.house.verify()


@pytest.mark.parametrize("burns_at", STEPS)
async def test_a_payment_cut_off_anywhere(shop: Shop, burns_at: int) -> None:
    student = await shop.house.student()
    fuse = Fuse(burns_at)
    node = Node(shop, fuse)
    course = shop.house.courses[0].id
    with node.alive():
        await node.orchestrator.enroll(student, course, CARD, key="the-first-click")
        shop.provider.pay()
        await node.confirmations.confirm(attempt=shop.links()[-1].attempt)
    assert bool(fuse.burnt) == (burns_at < STEPS[-1])
    await node.links.stop()
    await _heal(shop, student)
    _assert_whole(shop, student)


@pytest.mark.parametrize("burns_at", range(1, 8))
async def test_a_sweep_cut_off_anywhere(shop: Shop, burns_at: int) -> None:
    """Two links are due: one was paid, and nobody called back."""
    student, other = [await shop.house.student() for _ in range(2)]
    await shop.enroll(other)
    await shop.enroll(student)
    shop.provider.pay()
    shop.house.clock.advance(minutes=1)
    fuse = Fuse(burns_at)
    node = Node(shop, fuse)
    with node.alive():
        await node.sweeper.sweep()
    assert fuse.burnt
    shop.house.clock.advance(minutes=3)
    await shop.sweeper.sweep()
    _assert_whole(shop, student, enrolled=2)
    assert not shop.has_access(other)


async def test_the_same_click_again_after_the_answer_was_lost(shop: Shop) -> None:
    """The link was made and nobody kept it: the same request must not hang on it for ever."""
    student = await shop.house.student()
    node = Node(shop, Fuse(6))
    course = shop.house.courses[0].id
    with node.alive():
        await node.orchestrator.enroll(student, course, CARD, key="the-same-click")
    assert shop.links()[0].state is LinkState.CREATING
    assert len(shop.provider.links) == 1
    payment = await shop.enroll(student, key="the-same-click")
    assert payment.card_payment is not None
    assert (payment.card_payment.state, payment.card_payment.retry) == ("failed", True)
    await _heal(shop, student)
    _assert_whole(shop, student)
