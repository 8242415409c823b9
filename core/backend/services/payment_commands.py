"""The commands of card payments: attempts, what the provider confirmed, late money, refunds.

See `commands.py` for the manner, `asking.py` for what is the same in all.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from core.backend.services.asking import (
    AskedByStaff,
    AskedByStudent,
    SaidByGateway,
    request_digest,
)
from core.backend.storage.command import Needs
from core.backend.storage.records import Note
from core.domain.card_money import RefundState, Settlement
from core.domain.failures import FailureClass


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCardCommand(AskedByStudent):
    """A student wants to pay by card. `attempt` is the id of the attempt that this makes."""

    course: UUID
    attempt: UUID
    provider: str

    @property
    def digest(self) -> bytes:
        return request_digest("start-card", str(self.course))

    def needs(self) -> Needs:
        place = frozenset({(self.student, self.course)})
        return Needs(places=place, linked_places=place)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskManualCommand(AskedByStudent):
    """After several failed cards a student asks a person to look. `claim` is made by this."""

    course: UUID
    claim: UUID

    @property
    def digest(self) -> bytes:
        return request_digest("ask-manual", str(self.course))

    def needs(self) -> Needs:
        return Needs(places=frozenset({(self.student, self.course)}))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmCardCommand(SaidByGateway):
    """The provider's status says that this link was paid.

    `cents` None: it did not say how much. `ours`: the transaction that it names is the attempt.
    """

    attempt: UUID
    enrollment: UUID
    link_id: str
    word: str
    cents: int | None
    ours: bool

    @property
    def key(self) -> str:
        return f"paid:{self.attempt}"

    @property
    def digest(self) -> bytes:
        """A link is paid once: what is said first stays."""
        return request_digest("card-paid", str(self.attempt))

    def needs(self) -> Needs:
        return Needs(enrollments=frozenset({self.enrollment}), links=frozenset({self.attempt}))


@dataclass(frozen=True, slots=True, kw_only=True)
class FailCardCommand(SaidByGateway):
    """An attempt did not work; its link, if there is one, can still be paid."""

    attempt: UUID
    enrollment: UUID
    failure: FailureClass

    @property
    def key(self) -> str:
        return f"failed:{self.attempt}"

    @property
    def digest(self) -> bytes:
        """The first reason stays: a second one is no other request."""
        return request_digest("card-failed", str(self.attempt))

    def needs(self) -> Needs:
        return Needs(enrollments=frozenset({self.enrollment}))


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownMoneyCommand(SaidByGateway):
    """The provider's history has a payment that fits none of our links.

    `attempt` and `enrollment` where it names a transaction of ours, whose link is another one.
    """

    money: UUID
    provider: str
    link_id: str
    cents: int | None
    attempt: UUID | None = None
    enrollment: UUID | None = None

    @property
    def key(self) -> str:
        name = sha256(f"{self.provider}\n{self.link_id}".encode()).hexdigest()
        return f"unknown:{name}"

    @property
    def digest(self) -> bytes:
        return request_digest("unknown-money", self.provider, self.link_id)

    def needs(self) -> Needs:
        return Needs(enrollments=frozenset({self.enrollment} if self.enrollment else set()))


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleLateMoneyCommand(AskedByStaff):
    """A person says what became of late money. `words` is the digest of theirs, `note` seals them.

    `claim` is the id of the claim that is made where the money is applied.
    """

    money: UUID
    enrollment: UUID | None
    how: Settlement
    words: str
    note: Note
    claim: UUID

    @property
    def digest(self) -> bytes:
        return request_digest("settle-late-money", str(self.money), self.how.value, self.words)

    def needs(self) -> Needs:
        return self.asker_needs(
            late_money=frozenset({self.money}),
            enrollments=frozenset({self.enrollment} if self.enrollment else set()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRefundCommand(AskedByStaff):
    """A person sent a refund, or saw that it arrived."""

    attempt: UUID
    enrollment: UUID
    to: RefundState

    @property
    def digest(self) -> bytes:
        return request_digest("move-refund", str(self.attempt), self.to.value)

    def needs(self) -> Needs:
        enrollments = frozenset({self.enrollment})
        return self.asker_needs(enrollments=enrollments, refunds=enrollments)
