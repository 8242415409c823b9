"""`CourseCard`: one rule from login, enrollment and payment to what the card says and does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.domain.enrollment import Enrollment, EnrollmentStatus, PaymentStatus
from core.domain.failures import Failure, FailureClass, explain
from core.domain.guards import Policy, failed_often


class CardAction(StrEnum):
    SIGN_UP = "sign_up"
    ENROLL = "enroll"
    PAY = "pay"
    WAIT = "wait"
    CONTINUE = "continue"


class CardLabel(StrEnum):
    REGISTER = "Register To Enroll"
    ENROLL = "Enroll Now"
    PENDING = "Pending Approval"
    CONTINUE = "Continue Course"


@dataclass(frozen=True, slots=True)
class CourseCard:
    label: CardLabel
    action: CardAction
    enabled: bool
    message: str
    can_ask: bool = False  # that a person approves without a card


_REGISTER = CourseCard(CardLabel.REGISTER, CardAction.SIGN_UP, enabled=True, message="")
_ENROLL = CourseCard(CardLabel.ENROLL, CardAction.ENROLL, enabled=True, message="")
_CONTINUE = CourseCard(CardLabel.CONTINUE, CardAction.CONTINUE, enabled=True, message="")
_WAITING = CourseCard(
    CardLabel.PENDING,
    CardAction.WAIT,
    enabled=False,
    message="We are checking your payment. This page changes by itself.",
)
_REVOKED = CourseCard(
    CardLabel.ENROLL,
    CardAction.WAIT,
    enabled=False,
    message="Your access was withdrawn. Please contact the finance office.",
)
_PAY_MESSAGES = {
    PaymentStatus.PENDING: "Your place is reserved. Pay to finish enrolling.",
    PaymentStatus.PROCESSING: "Your card payment is being processed. This page changes by itself.",
}
_AGAIN_MESSAGES = {
    EnrollmentStatus.REJECTED: "Your payment was not approved. You can enroll again.",
    EnrollmentStatus.EXPIRED: "Your enrollment has ended. You can enroll again.",
}


def course_card(*, logged_in: bool, enrollment: Enrollment | None) -> CourseCard:
    """What the card of one course shows to one visitor."""
    if not logged_in:
        return _REGISTER
    if enrollment is None:
        return _ENROLL
    if enrollment.has_access:
        return _CONTINUE
    if enrollment.status is EnrollmentStatus.REVOKED:
        return _REVOKED
    if enrollment.status is not EnrollmentStatus.PENDING:
        message = _AGAIN_MESSAGES[enrollment.status]
        return CourseCard(CardLabel.ENROLL, CardAction.ENROLL, enabled=True, message=message)
    if enrollment.waiting_claim is not None:
        return _WAITING
    return _pay(enrollment)


def _pay(enrollment: Enrollment) -> CourseCard:
    """Something is to be paid; a card that failed is told in plain words."""
    if enrollment.payment_status is PaymentStatus.FAILED:
        failure = explain_code(enrollment.attempts_of_round()[-1].failure)
        message = f"{failure.message} Your place is kept. {failure.next_step}"
    else:
        message = _PAY_MESSAGES[enrollment.payment_status]
    return CourseCard(
        CardLabel.ENROLL,
        CardAction.PAY,
        enabled=True,
        message=message,
        can_ask=failed_often(enrollment, None, Policy()) is None,
    )


def explain_code(code: str | None) -> Failure:
    """An attempt's kept reason in plain words; one that is not known any more is unknown."""
    return explain(failure_class(code))


def failure_class(code: str | None) -> FailureClass:
    return next((known for known in FailureClass if known == code), FailureClass.UNKNOWN)
