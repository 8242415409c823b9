"""Which ledger entries are about card money. Without Qt: a desk needs it, too."""

from __future__ import annotations

from collections.abc import Iterable

from core.protocol.feed import Entry

_ABOUT_CARDS = (
    '"action":"card.',
    '"action":"late_money.',
    '"action":"refund.',
    '"action":"webhook.',
    # A card's approval, and what opens a refund or takes it back.
    '"actor":"gateway"',
    '"action":"enrollment.approval_reversed"',
    '"action":"enrollment.reinstated"',
)


def about_cards(entries: Iterable[Entry]) -> bool:
    """Whether one of these may change what the Payments screen shows; most entries do not."""
    return any(mark in entry.leaf for entry in entries for mark in _ABOUT_CARDS)
