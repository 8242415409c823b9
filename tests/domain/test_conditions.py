"""The conditions and effects of single events, beside what the table of states says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from core.domain.decisions import ReasonCode
from core.domain.enrollment import (
    Attempt,
    AttemptStatus,
    ClaimStatus,
    Enrollment,
    EnrollmentStatus,
    PaymentMethod,
    PaymentStatus,
)
from core.domain.errors import RefusalCode, TransitionRefusedError
from core.domain.events import (
    AccessEnds,
    Approve,
    AskManualApproval,
    CardConfirmed,
    CardFailed,
    Event,
    Expire,
    FactsChanged,
    RecordPayment,
    Reject,
    ReverseApproval,
    SignFirst,
    StartCard,
    SubmitEft,
)
from core.domain.guards import Policy
from core.domain.roles import GATEWAY, SYSTEM
from core.domain.state_manager import EnrollmentStateManager
from tests.domain.build import (
    ATTEMPT,
    CASES,
    MANAGER,
    NOW,
    OFFICER,
    OTHER_OFFICER,
    POLICY,
    PRICE,
    STUDENT,
    SUPERVISOR,
    THRESHOLD,
    attempt,
    claim,
    enrollment,
    signed_first,
)

WAITING = enrollment(claim=claim())
LARGE = enrollment(claim=claim(cents=THRESHOLD), cents=THRESHOLD)
APPROVE = Approve(actor=OFFICER, at=NOW)


def refusal(current: Enrollment, event: Event) -> RefusalCode:
    with pytest.raises(TransitionRefusedError) as refused:
        MANAGER.apply(current, event)
    return refused.value.code


def test_at_most_one_claim_waits() -> None:
    assert refusal(WAITING, SubmitEft(actor=STUDENT, at=NOW, claim=UUID(int=1))) is (
        RefusalCode.CLAIM_WAITING
    )
    record = CASES["record payment"].event
    assert refusal(WAITING, record) is RefusalCode.CLAIM_WAITING


def test_a_claim_keeps_what_was_owed_when_it_came() -> None:
    event = SubmitEft(actor=STUDENT, at=NOW, claim=UUID(int=9))
    made = MANAGER.apply(enrollment(), event).after
    assert made.waiting_claim is not None
    assert made.waiting_claim.amount_cents == PRICE
    assert made.waiting_claim.submitted_at == NOW
    assert made.method is PaymentMethod.EFT
    assert made.payment_status is PaymentStatus.PROCESSING


def test_an_officer_records_what_came_and_never_a_card() -> None:
    event = RecordPayment(
        actor=OFFICER, at=NOW, claim=UUID(int=9), method=PaymentMethod.MANUAL, amount_cents=5
    )
    made = MANAGER.apply(enrollment(), event).after
    assert made.waiting_claim is not None
    assert (made.waiting_claim.amount_cents, made.method) == (5, PaymentMethod.MANUAL)
    by_card = replace(event, method=PaymentMethod.CARD)
    assert refusal(enrollment(), by_card) is RefusalCode.METHOD_NOT_ALLOWED


def test_a_confirmed_card_approves_and_supersedes_the_claim() -> None:
    current = enrollment(claim=claim(), attempts=(attempt(),))
    event = CardConfirmed(actor=GATEWAY, at=NOW, attempt=ATTEMPT, amount_cents=PRICE)
    done = MANAGER.apply(current, event)
    assert done.grants_access
    assert done.after.method is PaymentMethod.CARD
    assert done.after.claim is not None
    assert done.after.claim.status is ClaimStatus.SUPERSEDED
    assert done.after.attempts[0].status is AttemptStatus.PAID


@pytest.mark.parametrize(
    ("attempts", "cents"),
    [
        ((), PRICE),
        ((attempt(cents=PRICE),), PRICE - 1),
        ((attempt(round=2),), PRICE),
        ((attempt(AttemptStatus.PAID),), PRICE),
    ],
    ids=["unknown attempt", "other cents", "other round", "paid already"],
)
def test_money_that_does_not_fit_is_late_and_changes_nothing(
    attempts: tuple[Attempt, ...], cents: int
) -> None:
    current = replace(enrollment(claim=claim()), attempts=attempts)
    event = CardConfirmed(actor=GATEWAY, at=NOW, attempt=ATTEMPT, amount_cents=cents)
    done = MANAGER.apply(current, event)
    assert (done.action, done.after) == ("card.late_money", current)


def test_success_may_follow_failure_but_not_the_other_way() -> None:
    failed = enrollment(attempts=(attempt(AttemptStatus.FAILED),))
    confirmed = CardConfirmed(actor=GATEWAY, at=NOW, attempt=ATTEMPT, amount_cents=PRICE)
    paid = MANAGER.apply(failed, confirmed).after
    assert paid.status is EnrollmentStatus.APPROVED
    late = CardFailed(actor=GATEWAY, at=NOW, attempt=ATTEMPT, failure="declined")
    assert refusal(paid, late) is RefusalCode.NO_ATTEMPT


@pytest.mark.req("7.2")
def test_a_failed_card_keeps_its_reason_and_moves_nothing_else() -> None:
    current = enrollment(claim=claim(), attempts=(attempt(), attempt(id=UUID(int=21))))
    done = MANAGER.apply(current, CASES["card failed"].event)
    failed, other = done.after.attempts
    assert (failed.status, failed.failure) == (AttemptStatus.FAILED, "declined")
    assert other == current.attempts[1]
    assert done.after.claim == current.claim
    assert done.after.status is EnrollmentStatus.PENDING


def test_manual_approval_needs_three_failures_of_this_round() -> None:
    two = tuple(attempt(AttemptStatus.FAILED, id=UUID(int=i)) for i in (1, 2))
    old = attempt(AttemptStatus.FAILED, id=UUID(int=3), round=0)
    ask = AskManualApproval(actor=STUDENT, at=NOW, claim=UUID(int=9))
    assert refusal(enrollment(attempts=(*two, old)), ask) is RefusalCode.TOO_FEW_FAILURES
    three = (*two, attempt(AttemptStatus.FAILED, id=UUID(int=4)))
    assert MANAGER.apply(enrollment(attempts=three), ask).after.method is PaymentMethod.MANUAL


def test_deciding_needs_a_claim_and_rejecting_a_reason() -> None:
    assert refusal(enrollment(), APPROVE) is RefusalCode.NO_CLAIM
    closed = enrollment(claim=claim(status=ClaimStatus.CLOSED))
    assert refusal(closed, APPROVE) is RefusalCode.NO_CLAIM
    reject = Reject(actor=OFFICER, at=NOW, reason=None)
    assert refusal(WAITING, reject) is RefusalCode.REASON_NEEDED
    reverse = ReverseApproval(actor=SUPERVISOR, at=NOW, reason=None)
    approved = enrollment(EnrollmentStatus.APPROVED)
    assert refusal(approved, reverse) is RefusalCode.REASON_NEEDED


@pytest.mark.parametrize("name", ["approve", "reject"])
def test_a_decision_closes_the_claim(name: str) -> None:
    after = MANAGER.apply(WAITING, CASES[name].event).after
    assert after.claim is not None
    assert after.claim.status is ClaimStatus.CLOSED
    assert after.waiting_claim is None


def test_an_enrollment_expires_only_after_the_limit_and_without_a_claim() -> None:
    current = enrollment()
    over = current.status_at + POLICY.expire_after
    early = Expire(actor=SYSTEM, at=over - timedelta(microseconds=1))
    assert refusal(current, early) is RefusalCode.TOO_EARLY
    assert refusal(WAITING, Expire(actor=SYSTEM, at=over)) is RefusalCode.CLAIM_WAITING
    after = MANAGER.apply(current, Expire(actor=SYSTEM, at=over)).after
    assert after.status is EnrollmentStatus.EXPIRED


def test_access_ends_when_its_time_is_over() -> None:
    current = enrollment(EnrollmentStatus.COMPLETED)
    early = AccessEnds(actor=SYSTEM, at=NOW, access_until=NOW + timedelta(seconds=1))
    assert refusal(current, early) is RefusalCode.TOO_EARLY
    done = MANAGER.apply(current, AccessEnds(actor=SYSTEM, at=NOW, access_until=NOW))
    assert done.withdraws_access
    assert not done.refund_due


def test_enrolling_again_is_a_new_round_at_the_new_price() -> None:
    current = enrollment(EnrollmentStatus.EXPIRED, attempts=(attempt(AttemptStatus.FAILED),))
    after = MANAGER.apply(current, CASES["enroll again"].event).after
    assert (after.round, after.amount_cents) == (2, 2 * PRICE)
    assert after.attempts_of_round() == ()
    assert after.payment_status is PaymentStatus.PENDING


def test_reversing_a_rejection_lets_the_claim_wait_again() -> None:
    rejected = MANAGER.apply(WAITING, CASES["reject"].event).after
    after = MANAGER.apply(rejected, CASES["reverse a rejection"].event).after
    assert after.waiting_claim is not None
    assert after.waiting_claim.id == claim().id


def test_a_refund_is_due_once_when_a_paid_card_is_reversed() -> None:
    paid = (attempt(AttemptStatus.PAID), attempt(id=UUID(int=21)))
    approved = enrollment(EnrollmentStatus.APPROVED, attempts=paid)
    reverse = ReverseApproval(actor=SUPERVISOR, at=NOW, reason=ReasonCode.MISTAKE)
    reversed_ = MANAGER.apply(approved, reverse)
    assert reversed_.refund_due
    late = CardFailed(actor=GATEWAY, at=NOW, attempt=UUID(int=21), failure="declined")
    assert not MANAGER.apply(reversed_.after, late).refund_due
    by_eft = MANAGER.apply(enrollment(EnrollmentStatus.APPROVED), reverse)
    assert not by_eft.refund_due


# --- two signatures ---


def test_over_the_threshold_two_different_officers_must_sign() -> None:
    assert refusal(LARGE, APPROVE) is RefusalCode.SECOND_SIGNATURE_NEEDED
    signed = MANAGER.apply(LARGE, SignFirst(actor=OFFICER, at=NOW)).after
    assert signed.status is EnrollmentStatus.PENDING
    assert refusal(signed, APPROVE) is RefusalCode.SAME_SIGNER
    other = Approve(actor=OTHER_OFFICER, at=NOW)
    assert MANAGER.apply(signed, other).after.status is EnrollmentStatus.APPROVED


def test_one_cent_below_one_signature_is_enough() -> None:
    below = enrollment(claim=claim(cents=THRESHOLD - 1), cents=THRESHOLD - 1)
    assert refusal(below, SignFirst(actor=OFFICER, at=NOW)) is RefusalCode.BELOW_THRESHOLD
    assert MANAGER.apply(below, APPROVE).grants_access


@pytest.mark.parametrize(
    ("owed", "claimed", "received"),
    [(THRESHOLD, 1, None), (1, THRESHOLD, None), (1, 1, THRESHOLD)],
    ids=["owed", "claimed", "received"],
)
def test_the_largest_amount_counts(owed: int, claimed: int, received: int | None) -> None:
    current = enrollment(claim=claim(cents=claimed), cents=owed)
    event = Approve(actor=OFFICER, at=NOW, amount_received=received)
    assert refusal(current, event) is RefusalCode.SECOND_SIGNATURE_NEEDED


def test_without_a_threshold_one_signature_is_always_enough() -> None:
    manager = EnrollmentStateManager(Policy(second_signature_from_cents=None))
    assert manager.apply(LARGE, APPROVE).grants_access


def test_a_first_signature_is_given_once() -> None:
    signed = MANAGER.apply(LARGE, SignFirst(actor=OFFICER, at=NOW)).after
    again = SignFirst(actor=OTHER_OFFICER, at=NOW)
    assert refusal(signed, again) is RefusalCode.ALREADY_SIGNED


@pytest.mark.parametrize(
    "event",
    [
        FactsChanged(actor=STUDENT, at=NOW, proof="cd" * 32),
        FactsChanged(actor=OFFICER, at=NOW, amount_cents=2 * THRESHOLD),
        StartCard(actor=STUDENT, at=NOW, attempt=UUID(int=50)),
        CardFailed(actor=GATEWAY, at=NOW, attempt=ATTEMPT, failure="declined"),
    ],
    ids=["proof", "amount", "card started", "card failed"],
)
def test_any_later_event_makes_a_first_signature_fall_and_it_can_be_given_again(
    event: Event,
) -> None:
    signed = signed_first(replace(LARGE, attempts=(attempt(),)))
    changed = MANAGER.apply(signed, event).after
    assert changed.first_signature is None
    approve = Approve(actor=OTHER_OFFICER, at=NOW)
    assert refusal(changed, approve) is RefusalCode.SECOND_SIGNATURE_NEEDED
    again = MANAGER.apply(changed, SignFirst(actor=OFFICER, at=NOW)).after
    assert MANAGER.apply(again, approve).grants_access


def test_a_reopened_claim_has_lost_its_first_signature() -> None:
    rejected = MANAGER.apply(signed_first(LARGE), CASES["reject"].event).after
    reopened = MANAGER.apply(rejected, CASES["reverse a rejection"].event).after
    assert reopened.first_signature is None
    assert refusal(reopened, APPROVE) is RefusalCode.SECOND_SIGNATURE_NEEDED
