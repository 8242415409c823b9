"""Two nodes and their callbacks: each is worked on by one of them at a time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from core.backend.storage.webhooks import read_page
from core.domain.webhooks import DeliveryState
from tests.backend.payments.shop import Shop
from tests.backend.webhooks.letters import KEYS, compact, fields
from tests.backend.webhooks.office import Office
from tests.support.card_provider import ScriptedProvider
from tests.support.live_template import Template
from tests.support.waiting import until
from tests.support.workspace import open_house, open_node

COUNT = 12


async def test_each_callback_is_worked_on_by_one_node(
    live_template: Template, tmp_path: Path
) -> None:
    """Sent to both, started on both: asked about once, applied once."""
    provider = ScriptedProvider()
    cards: dict[str, Any] = {"card_provider": provider, "callback_keys": KEYS}
    async with (
        open_house(live_template, tmp_path / "first", **cards) as house,
        open_node(house, tmp_path / "second", **cards) as other,
    ):
        shop = Shop(house, provider)
        first, second = Office(shop), Office(Shop(other, provider))
        students = [await first.student() for _ in range(COUNT)]
        for name in list(provider.links):
            provider.pay(name)
        letters = [compact(fields(link.link_id or "", link.attempt)) for link in shop.links()]
        new = await asyncio.gather(
            *(office.receive(letter) for letter in letters for office in (first, second))
        )
        assert new.count(True) == COUNT
        assert {d.copies for d in first.deliveries()} == {2}
        first.handler.start()
        second.handler.start()

        async def all_done() -> bool:
            found = await house.services.reader.run(
                lambda c: read_page(c, state=DeliveryState.DONE, after=None, limit=100)
            )
            return len(found) == COUNT

        await until(all_done)
        done = first.deliveries()
        assert {(d.tries, d.outcome) for d in done} == {(1, "approved")}
        assert len(provider.asked) == COUNT
        assert all(shop.has_access(student) for student in students)
        assert shop.actions().count("enrollment.approved") == COUNT
        house.verify()
