"""Which entries of the ledger the Payments screen looks up for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.card_news import about_cards
from core.domain.roles import GATEWAY
from core.ledger.leaf import decode, encode
from core.protocol.feed import Entry
from tests.console import samples


@pytest.mark.parametrize(
    "action",
    ["card.started", "card.failed", "card.late_money", "late_money.settled", "refund.sent",
     "webhook.replayed", "enrollment.approval_reversed", "enrollment.reinstated"],
)  # fmt: skip
def test_card_money_is_news(action: str) -> None:
    assert about_cards([Entry(1, samples.leaf(action), None)])


@pytest.mark.parametrize("action", ["claim.submitted", "enrollment.approved", "user.added"])
def test_the_rest_is_not(action: str) -> None:
    facts: dict[str, object] = {"note": 'somebody writes "action":"card. here'}
    assert not about_cards([Entry(1, samples.leaf(action, facts), None)])
    assert not about_cards([])


def test_a_cards_approval_is() -> None:
    plain = decode(samples.leaf("enrollment.approved").encode())
    told = encode(replace(plain, actor=GATEWAY.code)).decode()
    assert about_cards([Entry(1, samples.leaf("user.added"), None), Entry(2, told, None)])
