"""Callbacks of the card provider as rows; see `storage/records.py` for the manner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.domain.webhooks import AlertKind, DeliveryState


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One callback, rightly signed. The first fields are what came, the others how it went.

    `signature` is 32 bytes, `sealed` the body. `link_id`, `external_id`, `success` and `code` are
    what it claims; None where it does not say, all of them where it cannot be read. `tries` counts
    every try, `spent` those since it came or was replayed last.
    """

    id: UUID
    provider: str
    signature: bytes
    sealed: bytes
    received_at: datetime
    last_at: datetime
    next_try_at: datetime | None
    link_id: str | None = None
    external_id: str | None = None
    success: bool | None = None
    code: str | None = None
    copies: int = 1
    state: DeliveryState = DeliveryState.WAITING
    outcome: str = ""
    message: str = ""
    tries: int = 0
    spent: int = 0
    replays: int = 0
    settled_at: datetime | None = None
    enrollment: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One try at a delivery; `n` counts from 1."""

    delivery: UUID
    n: int
    at: datetime
    outcome: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What a try came to, and what becomes of its delivery."""

    attempt: Try
    state: DeliveryState
    next_try_at: datetime | None = None
    enrollment: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """How many callbacks from one address were refused within one hour (its beginning, UTC)."""

    kind: AlertKind
    address: str
    hour: datetime
    first_at: datetime
    last_at: datetime
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(Refusals):
    """Refusals that are kept. `address` is empty where there were too many to keep each."""

    id: UUID
