"""What can happen to an enrollment. Each event carries who, when (UTC) and what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.domain.decisions import ReasonCode
from core.domain.enrollment import PaymentMethod
from core.domain.roles import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    actor: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Enroll(Event):
    enrollment: UUID
    student: UUID
    course: UUID
    amount_cents: int
    reference: str
    method: PaymentMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollAgain(Event):
    amount_cents: int
    method: PaymentMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCard(Event):
    attempt: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitEft(Event):
    claim: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPayment(Event):
    """An officer found the money on a statement (EFT) or took cash (manual)."""

    claim: UUID
    method: PaymentMethod
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CardConfirmed(Event):
    """The provider's status answer, not its callback."""

    attempt: UUID
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFailed(Event):
    attempt: UUID
    failure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskManualApproval(Event):
    claim: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsChanged(Event):
    """A proof, a bank line or another amount: what an officer saw is no longer what is."""

    amount_cents: int | None = None
    proof: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignFirst(Event):
    amount_received: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve(Event):
    amount_received: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject(Event):
    reason: ReasonCode | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expire(Event):
    """Nobody paid within the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEnds(Event):
    """The course's access time is over."""

    access_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseApproval(Event):
    reason: ReasonCode | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseRejection(Event):
    reason: ReasonCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reinstate(Event):
    reason: ReasonCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete(Event):
    """The course system says that the student finished."""
