"""Card links, late money and refunds as rows; see `storage/records.py` for the manner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.domain.card_money import LateReason, LateState, LinkState, RefundState, Settlement


@dataclass(frozen=True, slots=True, kw_only=True)
class CardLink:
    """One pay link; there is one for each attempt.

    `external_id` is the attempt's id as the provider knows it. `word` is what the provider last
    said, in its own word. `asks` counts the sweeper's looks, `next_ask_at` is its next one; `final`
    where there is nothing to ask any more. `link_id` and `url` are None until the provider has
    told them; a link that was found again by its transaction has no `url`.
    """

    attempt: UUID
    enrollment: UUID
    external_id: str
    provider: str
    cents: int
    created_at: datetime
    next_ask_at: datetime | None
    state: LinkState = LinkState.CREATING
    link_id: str | None = None
    url: str | None = None
    word: str = ""
    asked_at: datetime | None = None
    asks: int = 0
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LateMoney:
    """Money that came and was not applied. `cents` None: the provider did not say how much.

    `index` is the ledger index of its entry. Once settled: `how`, by whom (an actor's code), when,
    and the commitment to their words.
    """

    id: UUID
    provider: str
    link_id: str
    attempt: UUID | None
    enrollment: UUID | None
    cents: int | None
    reason: LateReason
    found_at: datetime
    index: int
    state: LateState = LateState.OPEN
    how: Settlement | None = None
    by: str | None = None
    at: datetime | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money to give back for a card payment whose approval was reversed; one for each attempt."""

    attempt: UUID
    enrollment: UUID
    cents: int
    state: RefundState
    opened_at: datetime
    by: str
    at: datetime


CardMoney = CardLink | LateMoney | Refund
