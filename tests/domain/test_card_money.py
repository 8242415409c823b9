"""Why money is late, as a table."""

from __future__ import annotations

import pytest

from core.domain.card_money import REFUND_STEPS, LateReason, RefundState, late_reason
from core.domain.enrollment import EnrollmentStatus
from tests.domain.build import PRICE, enrollment


@pytest.mark.parametrize(
    ("status", "round_", "cents", "reason"),
    [
        (EnrollmentStatus.PENDING, None, PRICE, LateReason.OTHER_TRANSACTION),
        (EnrollmentStatus.APPROVED, None, 1, LateReason.OTHER_TRANSACTION),
        (EnrollmentStatus.PENDING, 1, PRICE - 1, LateReason.WRONG_AMOUNT),
        (EnrollmentStatus.PENDING, 1, None, LateReason.WRONG_AMOUNT),
        (EnrollmentStatus.APPROVED, 1, PRICE, LateReason.ALREADY_PAID),
        (EnrollmentStatus.COMPLETED, 1, PRICE, LateReason.ALREADY_PAID),
        (EnrollmentStatus.REJECTED, 1, PRICE, LateReason.NOT_PENDING),
        (EnrollmentStatus.EXPIRED, 1, PRICE, LateReason.NOT_PENDING),
        (EnrollmentStatus.REVOKED, 1, PRICE, LateReason.NOT_PENDING),
        (EnrollmentStatus.PENDING, 1, PRICE, LateReason.OLD_ROUND),
    ],
)
def test_why_money_is_late(
    status: EnrollmentStatus, round_: int | None, cents: int | None, reason: LateReason
) -> None:
    current = enrollment(status, round=2)
    found = late_reason(current, round_=round_, expected_cents=PRICE, cents=cents)
    assert found is reason


def test_a_refund_goes_on_one_step_at_a_time() -> None:
    assert REFUND_STEPS == {
        RefundState.SENT: RefundState.DUE, RefundState.DONE: RefundState.SENT,
    }  # fmt: skip
