"""What the backend asks of a card provider, whoever it is.

    ProviderError    the provider did not do it, or nobody knows whether it did

Money is integer cents of ZAR; times are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from core.domain.failures import FailureClass


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRequest:
    """A pay link to make. `external_id` is ours and unique: asking twice must not pay twice.

    `description` and `reference` are for people; the client makes them plain ASCII. The addresses
    are those of our own pages; `callback_url` has no query.
    """

    external_id: str
    amount_cents: int
    description: str
    reference: str
    callback_url: str
    success_url: str
    failure_url: str
    cancel_url: str
    requester_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PayLink:
    """A page of the provider on which a person can pay. Nothing has been paid yet."""

    id: str
    url: str
    external_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkStatus:
    """What the provider says of a link now.

    `word` is the provider's own, at most 40 characters. `paid` only for the one word that says so;
    every other word means: not paid, look again. Whoever counts on `amount_cents` or `external_id`
    has to compare them; None where the provider said nothing of it.
    """

    link_id: str
    word: str
    paid: bool
    amount_cents: int | None
    external_id: str | None
    created_at: datetime | None
    description: str


class CardProvider(Protocol):
    """A card provider. Every method raises ProviderError, and nothing else for what may happen."""

    @property
    def name(self) -> str:
        """How it is stored beside a link."""

    @property
    def live(self) -> bool:
        """Whether real money moves. Production takes no other."""

    async def create_link(self, request: LinkRequest) -> PayLink:
        """Make a link. After an error with `outcome_unknown`, ask `transaction_status` first."""

    async def link_status(self, link_id: str) -> LinkStatus:
        """What became of a link."""

    async def transaction_status(self, external_id: str) -> LinkStatus | None:
        """The same, by our own id; None if the provider knows no such transaction."""

    async def history(self, start: date, end: date) -> tuple[LinkStatus, ...]:
        """The payments of these days, both included."""


class ProviderError(Exception):
    """The provider did not do it. `message` is in plain words and holds no secret.

    `retryable`: the same call may succeed later. `outcome_unknown`, of `create_link`: it may have
    been carried out, although no usable answer came; ask for the transaction before asking again.
    """

    def __init__(
        self,
        message: str,
        *,
        failure: FailureClass,
        retryable: bool,
        outcome_unknown: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.failure = failure
        self.retryable = retryable
        self.outcome_unknown = outcome_unknown
