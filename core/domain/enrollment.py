"""An enrollment: one record per student and course, with its claim and its card attempts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class EnrollmentStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    REVOKED = "revoked"
    COMPLETED = "completed"


class PaymentMethod(StrEnum):
    CARD = "card"
    EFT = "eft"
    MANUAL = "manual"


class PaymentStatus(StrEnum):
    """Derived, for people and for the course card; never stored."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


class ClaimStatus(StrEnum):
    WAITING = "waiting"
    SUPERSEDED = "superseded"
    CLOSED = "closed"


class AttemptStatus(StrEnum):
    OPEN = "open"
    FAILED = "failed"
    PAID = "paid"


@dataclass(frozen=True, slots=True)
class FirstSignature:
    """The first of two signatures; it holds only for the enrollment version that it made."""

    officer: UUID
    at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody says that money came outside the card provider. A claim is never money."""

    id: UUID
    method: PaymentMethod
    status: ClaimStatus
    round: int
    amount_cents: int
    submitted_at: datetime
    proof: str | None = None  # hex SHA-256 of the uploaded proof of payment
    first_signature: FirstSignature | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to pay by card: one link at the provider."""

    id: UUID
    status: AttemptStatus
    round: int
    amount_cents: int
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Enrollment:
    """`amount_cents` is what is owed in this round; `version` rises by one with every event.

    `status_by` is the actor's code and `status_at` the time (UTC) of the last change of status.
    """

    id: UUID
    student: UUID
    course: UUID
    status: EnrollmentStatus
    version: int
    round: int
    reference: str
    amount_cents: int
    method: PaymentMethod | None
    status_by: str
    status_at: datetime
    created_at: datetime
    claim: Claim | None = None
    attempts: tuple[Attempt, ...] = ()

    @property
    def waiting_claim(self) -> Claim | None:
        """The open claim, which is what puts an enrollment on the pending list."""
        claim = self.claim
        return claim if claim is not None and claim.status is ClaimStatus.WAITING else None

    @property
    def first_signature(self) -> FirstSignature | None:
        """The first of two signatures while it holds: any later event makes it fall."""
        claim = self.waiting_claim
        signature = claim.first_signature if claim is not None else None
        holds = signature is not None and signature.version == self.version
        return signature if holds else None

    @property
    def has_access(self) -> bool:
        return self.status in ACCESS_STATUSES

    def attempts_of_round(self) -> tuple[Attempt, ...]:
        return tuple(attempt for attempt in self.attempts if attempt.round == self.round)

    @property
    def payment_status(self) -> PaymentStatus:
        if self.has_access:
            return PaymentStatus.COMPLETED
        attempts = self.attempts_of_round()
        is_open = any(attempt.status is AttemptStatus.OPEN for attempt in attempts)
        if self.waiting_claim is not None or is_open:
            return PaymentStatus.PROCESSING
        if attempts and attempts[-1].status is AttemptStatus.FAILED:
            return PaymentStatus.FAILED
        return PaymentStatus.PENDING


ACCESS_STATUSES = frozenset({EnrollmentStatus.APPROVED, EnrollmentStatus.COMPLETED})
# From these the way on is a new round.
ENDED_STATUSES = frozenset(
    {EnrollmentStatus.REJECTED, EnrollmentStatus.EXPIRED, EnrollmentStatus.REVOKED}
)
