"""A house that takes cards: its provider does what the test says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from uuid_utils.compat import uuid7

from core.backend.services.confirmations import Answer, Confirmed
from core.backend.services.identities import StudentIdentity
from core.backend.services.sweeper import CardSweeper
from core.backend.storage import payments, queries
from core.backend.storage.payment_records import CardLink, LateMoney, Refund
from core.backend.storage.tables import late_money, refunds
from core.domain.decisions import ReasonCode, Verdict
from core.domain.enrollment import Enrollment, PaymentMethod
from core.ledger.leaf import Leaf
from core.protocol.messages import CardView, DecisionAnswer, Payment
from tests.support.card_provider import ScriptedProvider
from tests.support.live_template import Template
from tests.support.workspace import House, Officer, open_house

CARD, EFT = PaymentMethod.CARD, PaymentMethod.EFT


@dataclass(frozen=True)
class Shop:
    """`course` 0 costs R 1 250.00; one approval is enough for it."""

    house: House
    provider: ScriptedProvider
    course: int = 0

    @property
    def cents(self) -> int:
        return self.house.courses[self.course].price_cents

    @property
    def _course(self) -> UUID:
        return self.house.courses[self.course].id

    @property
    def sweeper(self) -> CardSweeper:
        sweeper = self.house.services.sweeper
        assert sweeper is not None
        return sweeper

    # --- the student ---------------------------------------------------------------------------

    async def enroll(
        self,
        student: StudentIdentity,
        method: PaymentMethod = CARD,
        key: str | None = None,
    ) -> Payment:
        orchestrator = self.house.services.orchestrator
        return await orchestrator.enroll(student, self._course, method, key=key or str(uuid7()))

    async def start(self, student: StudentIdentity, key: str | None = None) -> Payment:
        orchestrator = self.house.services.orchestrator
        return await orchestrator.start_card(student, self._course, key=key or str(uuid7()))

    async def payment(self, student: StudentIdentity) -> Payment:
        return await self.house.services.orchestrator.payment(student, self._course)

    async def say_paid(self, student: StudentIdentity) -> CardView:
        orchestrator = self.house.services.orchestrator
        return await orchestrator.submit_eft(student, self._course, key=str(uuid7()))

    async def ask_manual(self, student: StudentIdentity) -> CardView:
        orchestrator = self.house.services.orchestrator
        return await orchestrator.ask_manual(student, self._course, key=str(uuid7()))

    async def check(self, student: StudentIdentity) -> CardView:
        return await self.house.services.orchestrator.check_card(student, self._course)

    async def card(self, student: StudentIdentity) -> CardView:
        cards = await self.house.services.orchestrator.cards(student)
        return next(card for card in cards.cards if card.course == self._course)

    def enrollment(self, student: StudentIdentity) -> Enrollment:
        run = self.house.services.reader.run_now
        found = run(lambda c: queries.read_place(c, student.student, self._course))
        assert found is not None
        return found

    def has_access(self, student: StudentIdentity) -> bool:
        """By the grants, which are what lessons are opened by."""
        run = self.house.services.reader.run_now
        return run(lambda c: queries.has_open_grant(c, student.student, self._course))

    # --- the provider and the office -----------------------------------------------------------

    async def confirm(self, link: CardLink | None = None, **said: Any) -> Confirmed:
        """As a callback would: about the newest link unless one is named."""
        about = link or self.links()[-1]
        return await self.house.services.confirmations.confirm(attempt=about.attempt, **said)

    async def confirmed(self, link: CardLink | None = None, **said: Any) -> Answer:
        return (await self.confirm(link, **said)).answer

    async def decide(
        self,
        officer: Officer,
        student: StudentIdentity,
        verdict: Verdict = Verdict.APPROVE,
    ) -> DecisionAnswer:
        reason = None if verdict is Verdict.APPROVE else ReasonCode.OTHER
        row = await self.house.row(self.enrollment(student).id)
        return (await self.house.decide(officer, officer.sign(row, verdict, reason=reason)))[0]

    # --- what is there -------------------------------------------------------------------------

    def links(self) -> list[CardLink]:
        """Oldest first."""
        run = self.house.services.reader.run_now
        return run(lambda c: payments.read_link_page(c, None, 1000))[::-1]

    def late(self) -> list[LateMoney]:
        query = select(late_money).order_by(late_money.c.id)
        run = self.house.services.reader.run_now
        return run(lambda c: [LateMoney(**row) for row in c.execute(query).mappings()])

    def refunds(self) -> list[Refund]:
        query = select(refunds).order_by(refunds.c.attempt)
        run = self.house.services.reader.run_now
        return run(lambda c: [Refund(**row) for row in c.execute(query).mappings()])

    def actions(self) -> list[str]:
        return [leaf.action for leaf in self.entries()]

    def entries(self) -> list[Leaf]:
        """What happened since the house was set up, without sign-ups and devices."""
        kinds = ("enrollment.", "claim.", "card.", "late_money.", "refund.", "decision.")
        return [leaf for leaf in self.house.leaves() if leaf.action.startswith(kinds)]


@asynccontextmanager
async def open_shop(
    template: Template, folder: Path, provider: ScriptedProvider | None = None, **changes: Any
) -> AsyncIterator[Shop]:
    cards = provider or ScriptedProvider()
    async with open_house(template, folder, card_provider=cards, **changes) as house:
        yield Shop(house, cards)
