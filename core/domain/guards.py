"""The conditions of the state table: each gives None, or the code and words of a refusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from core.domain.enrollment import Attempt, AttemptStatus, Enrollment, PaymentMethod
from core.domain.errors import RefusalCode
from core.domain.events import CardConfirmed, CardFailed


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers that a workspace sets. `second_signature_from_cents` None: one is enough."""

    second_signature_from_cents: int | None = 5_000_000
    expire_after: timedelta = timedelta(days=30)
    failures_before_manual: int = 3


Refusal = tuple[RefusalCode, str]
# The table pairs each guard with the events it understands; the union is too wide to help here.
Guard = Callable[[Enrollment, Any, Policy], Refusal | None]


def no_waiting_claim(enrollment: Enrollment, _event: object, _policy: Policy) -> Refusal | None:
    if enrollment.waiting_claim is not None:
        return RefusalCode.CLAIM_WAITING, "A payment is already waiting for approval."
    return None


def claim_waits(enrollment: Enrollment, _event: object, _policy: Policy) -> Refusal | None:
    if enrollment.waiting_claim is None:
        return RefusalCode.NO_CLAIM, "No payment is waiting for approval here."
    return None


def manual_or_eft(_enrollment: Enrollment, event: Any, _policy: Policy) -> Refusal | None:
    if event.method is PaymentMethod.CARD:
        return RefusalCode.METHOD_NOT_ALLOWED, "A card payment is confirmed by its provider."
    return None


def reason_given(_enrollment: Enrollment, event: Any, _policy: Policy) -> Refusal | None:
    if event.reason is None:
        return RefusalCode.REASON_NEEDED, "Please give a reason."
    return None


def find_attempt(enrollment: Enrollment, event: CardConfirmed | CardFailed) -> Attempt | None:
    return next((a for a in enrollment.attempts if a.id == event.attempt), None)


def attempt_of_this_round_and_cents(
    enrollment: Enrollment, event: CardConfirmed, _policy: Policy
) -> Refusal | None:
    attempt = find_attempt(enrollment, event)
    if (
        attempt is None
        or attempt.round != enrollment.round
        or attempt.status is AttemptStatus.PAID
        or attempt.amount_cents != event.amount_cents
    ):
        return RefusalCode.NO_ATTEMPT, "This payment belongs to no open card payment."
    return None


def attempt_open(enrollment: Enrollment, event: CardFailed, _policy: Policy) -> Refusal | None:
    attempt = find_attempt(enrollment, event)
    if attempt is None or attempt.status is not AttemptStatus.OPEN:
        return RefusalCode.NO_ATTEMPT, "This card payment is not open."
    return None


def failed_often(enrollment: Enrollment, _event: object, policy: Policy) -> Refusal | None:
    failed = [a for a in enrollment.attempts_of_round() if a.status is AttemptStatus.FAILED]
    if len(failed) < policy.failures_before_manual:
        return RefusalCode.TOO_FEW_FAILURES, "Please try to pay by card again first."
    return None


def amount_to_sign(enrollment: Enrollment, event: Any) -> int:
    """The cents that the signatures are about: the largest of owed, claimed and received."""
    claimed = enrollment.claim.amount_cents if enrollment.claim else 0
    return max(enrollment.amount_cents, claimed, event.amount_received or 0)


def over_threshold(enrollment: Enrollment, event: Any, policy: Policy) -> bool:
    limit = policy.second_signature_from_cents
    return limit is not None and amount_to_sign(enrollment, event) >= limit


def needs_first_signature(enrollment: Enrollment, event: Any, policy: Policy) -> Refusal | None:
    if not over_threshold(enrollment, event, policy):
        return RefusalCode.BELOW_THRESHOLD, "One signature is enough for this amount."
    if enrollment.first_signature is not None:
        return RefusalCode.ALREADY_SIGNED, "The first signature is already there."
    return None


def enough_signatures(enrollment: Enrollment, event: Any, policy: Policy) -> Refusal | None:
    """Fails closed: over the threshold a first signature at this very version must be there."""
    if not over_threshold(enrollment, event, policy):
        return None
    first = enrollment.first_signature
    if first is None:
        return RefusalCode.SECOND_SIGNATURE_NEEDED, "This amount needs two signatures."
    if first.officer == event.actor.id:
        return RefusalCode.SAME_SIGNER, "The second signature must come from somebody else."
    return None


def older_than_limit(enrollment: Enrollment, event: Any, policy: Policy) -> Refusal | None:
    if event.at - enrollment.status_at < policy.expire_after:
        return RefusalCode.TOO_EARLY, "The time to pay is not over yet."
    return None


def access_time_over(_enrollment: Enrollment, event: Any, _policy: Policy) -> Refusal | None:
    if event.at < event.access_until:
        return RefusalCode.TOO_EARLY, "The access time of the course is not over yet."
    return None
