"""What the events of the state table change beside status and version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core.domain.enrollment import (
    Attempt,
    AttemptStatus,
    Claim,
    ClaimStatus,
    Enrollment,
    FirstSignature,
    PaymentMethod,
)
from core.domain.events import (
    AskManualApproval,
    CardConfirmed,
    CardFailed,
    EnrollAgain,
    FactsChanged,
    RecordPayment,
    SignFirst,
    StartCard,
    SubmitEft,
)

# The table pairs each effect with the one event it understands.
Effect = Callable[[Enrollment, Any], Enrollment]


def unchanged(enrollment: Enrollment, _event: object) -> Enrollment:
    return enrollment


def next_round(enrollment: Enrollment, event: EnrollAgain) -> Enrollment:
    return replace(
        enrollment,
        round=enrollment.round + 1,
        amount_cents=event.amount_cents,
        method=event.method,
    )


def open_attempt(enrollment: Enrollment, event: StartCard) -> Enrollment:
    attempt = Attempt(
        id=event.attempt,
        status=AttemptStatus.OPEN,
        round=enrollment.round,
        amount_cents=enrollment.amount_cents,
    )
    return replace(enrollment, method=PaymentMethod.CARD, attempts=(*enrollment.attempts, attempt))


def _waiting(
    enrollment: Enrollment,
    event: SubmitEft | RecordPayment | AskManualApproval,
    method: PaymentMethod,
    cents: int,
) -> Enrollment:
    claim = Claim(
        id=event.claim,
        method=method,
        status=ClaimStatus.WAITING,
        round=enrollment.round,
        amount_cents=cents,
        submitted_at=event.at,
    )
    return replace(enrollment, method=method, claim=claim)


def eft_claim(enrollment: Enrollment, event: SubmitEft) -> Enrollment:
    return _waiting(enrollment, event, PaymentMethod.EFT, enrollment.amount_cents)


def recorded_claim(enrollment: Enrollment, event: RecordPayment) -> Enrollment:
    return _waiting(enrollment, event, event.method, event.amount_cents)


def manual_claim(enrollment: Enrollment, event: AskManualApproval) -> Enrollment:
    return _waiting(enrollment, event, PaymentMethod.MANUAL, enrollment.amount_cents)


def _with_attempt(enrollment: Enrollment, changed: Attempt) -> Enrollment:
    attempts = tuple(changed if a.id == changed.id else a for a in enrollment.attempts)
    return replace(enrollment, attempts=attempts)


def _attempt(enrollment: Enrollment, event: CardConfirmed | CardFailed) -> Attempt:
    return next(a for a in enrollment.attempts if a.id == event.attempt)


def pay_attempt(enrollment: Enrollment, event: CardConfirmed) -> Enrollment:
    paid = replace(_attempt(enrollment, event), status=AttemptStatus.PAID, failure=None)
    changed = replace(_with_attempt(enrollment, paid), method=PaymentMethod.CARD)
    claim = changed.waiting_claim
    if claim is None:
        return changed
    return replace(changed, claim=replace(claim, status=ClaimStatus.SUPERSEDED))


def fail_attempt(enrollment: Enrollment, event: CardFailed) -> Enrollment:
    failed = replace(
        _attempt(enrollment, event), status=AttemptStatus.FAILED, failure=event.failure
    )
    return _with_attempt(enrollment, failed)


def change_facts(enrollment: Enrollment, event: FactsChanged) -> Enrollment:
    changed = enrollment
    if event.amount_cents is not None:
        changed = replace(changed, amount_cents=event.amount_cents)
    claim = changed.waiting_claim
    if claim is None:
        return changed
    return replace(
        changed, claim=replace(claim, proof=event.proof or claim.proof, first_signature=None)
    )


def sign_first(enrollment: Enrollment, event: SignFirst) -> Enrollment:
    claim, officer = enrollment.claim, event.actor.id
    if claim is None or officer is None:  # the guards of the table come first
        raise ValueError("a first signature needs a claim and a person")
    # The signature makes the next version and holds for that one only.
    signature = FirstSignature(officer=officer, at=event.at, version=enrollment.version + 1)
    return replace(enrollment, claim=replace(claim, first_signature=signature))


def close_claim(enrollment: Enrollment, _event: object) -> Enrollment:
    claim = enrollment.waiting_claim
    if claim is None:
        return enrollment
    return replace(enrollment, claim=replace(claim, status=ClaimStatus.CLOSED))


def reopen_claim(enrollment: Enrollment, _event: object) -> Enrollment:
    if enrollment.claim is None:
        return enrollment
    reopened = replace(enrollment.claim, status=ClaimStatus.WAITING, first_signature=None)
    return replace(enrollment, claim=reopened)
