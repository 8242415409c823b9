"""Enrollments, people and events in any state, for the tests of the domain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from core.domain.decisions import ReasonCode
from core.domain.enrollment import (
    Attempt,
    AttemptStatus,
    Claim,
    ClaimStatus,
    Enrollment,
    EnrollmentStatus,
    FirstSignature,
    PaymentMethod,
)
from core.domain.events import (
    AccessEnds,
    Approve,
    AskManualApproval,
    CardConfirmed,
    CardFailed,
    Complete,
    Enroll,
    EnrollAgain,
    Event,
    Expire,
    FactsChanged,
    RecordPayment,
    Reinstate,
    Reject,
    ReverseApproval,
    ReverseRejection,
    SignFirst,
    StartCard,
    SubmitEft,
)
from core.domain.guards import Policy
from core.domain.roles import GATEWAY, SYSTEM, Actor, Role, staff, student
from core.domain.state_manager import EnrollmentStateManager

THRESHOLD = 500_000
PRICE = 125_000
NOW = datetime(2026, 3, 2, 10, 42, tzinfo=UTC)
POLICY = Policy(second_signature_from_cents=THRESHOLD)
MANAGER = EnrollmentStateManager(POLICY)

STUDENT = student(UUID(int=1))
OFFICER = staff(UUID(int=2), frozenset({Role.OFFICER}))
OTHER_OFFICER = staff(UUID(int=3), frozenset({Role.OFFICER}))
SUPERVISOR = staff(UUID(int=4), frozenset({Role.SUPERVISOR}))
ADMINISTRATOR = staff(UUID(int=5), frozenset({Role.ADMINISTRATOR}))
PEOPLE = {
    "student": STUDENT,
    "officer": OFFICER,
    "supervisor": SUPERVISOR,
    "administrator": ADMINISTRATOR,
    "gateway": GATEWAY,
    "system": SYSTEM,
}
COURSE = UUID(int=10)
ATTEMPT = UUID(int=20)


def claim(*, cents: int = PRICE, status: ClaimStatus = ClaimStatus.WAITING) -> Claim:
    return Claim(
        id=UUID(int=30),
        method=PaymentMethod.EFT,
        status=status,
        round=1,
        amount_cents=cents,
        submitted_at=NOW,
    )


def attempt(
    status: AttemptStatus = AttemptStatus.OPEN,
    *,
    id: UUID = ATTEMPT,  # noqa: A002 - the field it fills
    cents: int = PRICE,
    round: int = 1,  # noqa: A002 - the field it fills
) -> Attempt:
    return Attempt(id=id, status=status, round=round, amount_cents=cents)


def enrollment(
    status: EnrollmentStatus = EnrollmentStatus.PENDING,
    *,
    claim: Claim | None = None,
    attempts: tuple[Attempt, ...] = (),
    cents: int = PRICE,
    round: int = 1,  # noqa: A002 - the field it fills
) -> Enrollment:
    return Enrollment(
        id=UUID(int=100),
        student=UUID(int=1),
        course=COURSE,
        status=status,
        version=7,
        round=round,
        reference="K7QM3XRA",
        amount_cents=cents,
        method=PaymentMethod.EFT,
        status_by=OFFICER.code,
        status_at=NOW - timedelta(days=1),
        created_at=NOW - timedelta(days=2),
        claim=claim,
        attempts=attempts,
    )


def signed_first(current: Enrollment, by: Actor = OFFICER) -> Enrollment:
    """The same with a first signature that holds."""
    assert current.claim is not None
    assert by.id is not None
    signature = FirstSignature(officer=by.id, at=NOW, version=current.version)
    return replace(current, claim=replace(current.claim, first_signature=signature))


@dataclass(frozen=True)
class Case:
    """An event by somebody who may cause it, and an enrollment that meets its conditions."""

    event: Event
    current: Enrollment

    def at(self, status: EnrollmentStatus) -> Enrollment:
        return replace(self.current, status=status)


_PLAIN = enrollment()
_WAITING = enrollment(claim=claim())
_CLOSED = enrollment(claim=claim(status=ClaimStatus.CLOSED))
_OPEN = enrollment(attempts=(attempt(),))
_LARGE = enrollment(claim=claim(cents=THRESHOLD), cents=THRESHOLD)
_THREE_FAILED = enrollment(
    attempts=tuple(attempt(AttemptStatus.FAILED, id=UUID(int=i)) for i in range(40, 43))
)

CASES = {
    "enroll": Case(
        Enroll(
            actor=STUDENT, at=NOW, enrollment=UUID(int=100), student=UUID(int=1), course=COURSE,
            amount_cents=PRICE, reference="K7QM3XRA", method=PaymentMethod.EFT,
        ),
        _PLAIN,
    ),
    "enroll again": Case(
        EnrollAgain(actor=STUDENT, at=NOW, amount_cents=2 * PRICE, method=PaymentMethod.CARD),
        _PLAIN,
    ),
    "enroll again, by a supervisor": Case(
        EnrollAgain(actor=SUPERVISOR, at=NOW, amount_cents=PRICE, method=PaymentMethod.EFT),
        _PLAIN,
    ),
    "start card": Case(StartCard(actor=STUDENT, at=NOW, attempt=ATTEMPT), _PLAIN),
    "submit EFT": Case(SubmitEft(actor=STUDENT, at=NOW, claim=UUID(int=31)), _PLAIN),
    "record payment": Case(
        RecordPayment(
            actor=OFFICER, at=NOW, claim=UUID(int=31), method=PaymentMethod.MANUAL,
            amount_cents=PRICE,
        ),
        _PLAIN,
    ),
    "card confirmed": Case(
        CardConfirmed(actor=GATEWAY, at=NOW, attempt=ATTEMPT, amount_cents=PRICE), _OPEN
    ),
    "card failed": Case(
        CardFailed(actor=GATEWAY, at=NOW, attempt=ATTEMPT, failure="declined"), _OPEN
    ),
    "ask for manual approval": Case(
        AskManualApproval(actor=STUDENT, at=NOW, claim=UUID(int=31)), _THREE_FAILED
    ),
    "facts changed": Case(FactsChanged(actor=STUDENT, at=NOW, proof="ab" * 32), _WAITING),
    "first signature": Case(SignFirst(actor=OFFICER, at=NOW), _LARGE),
    "approve": Case(Approve(actor=OFFICER, at=NOW), _WAITING),
    "reject": Case(
        Reject(actor=OFFICER, at=NOW, reason=ReasonCode.NO_PAYMENT_FOUND), _WAITING
    ),
    "expire": Case(Expire(actor=SYSTEM, at=NOW + POLICY.expire_after), _PLAIN),
    "access ends": Case(AccessEnds(actor=SYSTEM, at=NOW, access_until=NOW), _CLOSED),
    "reverse an approval": Case(
        ReverseApproval(actor=SUPERVISOR, at=NOW, reason=ReasonCode.MISTAKE), _CLOSED
    ),
    "reverse a rejection": Case(ReverseRejection(actor=SUPERVISOR, at=NOW), _CLOSED),
    "reinstate": Case(Reinstate(actor=SUPERVISOR, at=NOW), _CLOSED),
    "complete": Case(Complete(actor=SYSTEM, at=NOW), _CLOSED),
}  # fmt: skip
