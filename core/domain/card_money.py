"""Card money beside the state table: links, money that fits nowhere, and money to give back."""

from __future__ import annotations

from enum import StrEnum

from core.domain.enrollment import Enrollment, EnrollmentStatus


class LinkState(StrEnum):
    """What is known of an attempt's pay link. Only `paid` is for ever: any other may yet be paid.

    `creating`: the intent is written, nobody knows yet whether there is a link. `failed`: the
    provider refused to make one. `gone`: the provider knows no such transaction.
    """

    CREATING = "creating"
    OPEN = "open"
    PAID = "paid"
    FAILED = "failed"
    GONE = "gone"


class LateReason(StrEnum):
    """Why money that came is not simply an approval."""

    WRONG_AMOUNT = "wrong_amount"
    OTHER_TRANSACTION = "other_transaction"  # the link is ours, what was paid on it is not
    UNKNOWN_TRANSACTION = "unknown_transaction"  # the provider knows it, we do not
    ALREADY_PAID = "already_paid"
    NOT_PENDING = "not_pending"  # rejected, expired or revoked meanwhile
    OLD_ROUND = "old_round"  # for an enrollment that has ended since; this is a new one


class LateState(StrEnum):
    OPEN = "open"
    SETTLED = "settled"


class Settlement(StrEnum):
    """What a person did with late money. `applied`: a claim that waits for approval."""

    REFUNDED = "refunded"
    APPLIED = "applied"
    OTHER = "other"


class RefundState(StrEnum):
    """`not_due`: the enrollment was reinstated before anything was sent."""

    DUE = "due"
    SENT = "sent"
    DONE = "done"
    NOT_DUE = "not_due"


# The one way a refund goes on by a person's hand.
REFUND_STEPS = {RefundState.SENT: RefundState.DUE, RefundState.DONE: RefundState.SENT}


def late_reason(
    enrollment: Enrollment, *, round_: int | None, expected_cents: int, cents: int | None
) -> LateReason:
    """Why this money is late. `round_` is the attempt's; None where it is no attempt's money."""
    if round_ is None:
        return LateReason.OTHER_TRANSACTION
    if cents != expected_cents:
        return LateReason.WRONG_AMOUNT
    if enrollment.has_access:
        return LateReason.ALREADY_PAID
    if enrollment.status is not EnrollmentStatus.PENDING:
        return LateReason.NOT_PENDING
    return LateReason.OLD_ROUND
