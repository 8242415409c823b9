"""With every callback lost the sweeper finds each payment; over the sandbox's real HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.backend.demo_cards import DemoCards
from core.backend.gateway.sandbox.mischief import Mischief
from core.domain.enrollment import EnrollmentStatus
from tests.backend.payments.shop import Shop
from tests.support.card_provider import ScriptedProvider
from tests.support.live_template import Template
from tests.support.workspace import Clock, open_house


@pytest.mark.req("8.1")
async def test_every_paid_enrollment_is_approved_with_all_callbacks_dropped(
    sqlite_template: Template, tmp_path: Path
) -> None:
    cards = DemoCards()
    cards.sandbox.mischief = Mischief(copies=0)
    async with (
        cards.open(),
        open_house(
            sqlite_template, tmp_path / "house", clock=Clock(),
            card_provider=cards.provider, callback_keys=cards.callback_keys,
        ) as house,
    ):  # fmt: skip
        shop = Shop(house, ScriptedProvider())
        students = [await house.student() for _ in range(20)]
        for student in students:
            await shop.enroll(student)
        paid = [link.link_id for link in shop.links()[::2]]
        for link_id in paid:
            cards.sandbox.pay(link_id or "")
        await cards.sandbox.callbacks.settled()
        assert not cards.sandbox.callbacks.deliveries
        house.clock.advance(minutes=1)
        assert await shop.sweeper.sweep() == 20
        approved = [
            shop.enrollment(student).status is EnrollmentStatus.APPROVED for student in students
        ]
        assert approved == [True, False] * 10
        assert [shop.has_access(student) for student in students] == approved
        house.verify()
