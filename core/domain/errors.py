"""Typed refusals of the domain.

    TransitionRefusedError   the state table does not allow this event now

The value errors of single modules (MoneyError, InvalidReferenceError, MethodUnavailableError) stand
beside what raises them.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from core.domain.enrollment import Enrollment, EnrollmentStatus


class RefusalCode(StrEnum):
    WRONG_STATE = "wrong_state"
    WRONG_ROLE = "wrong_role"
    CLAIM_WAITING = "claim_waiting"
    NO_CLAIM = "no_claim"
    NO_ATTEMPT = "no_attempt"
    TOO_FEW_FAILURES = "too_few_failures"
    REASON_NEEDED = "reason_needed"
    SECOND_SIGNATURE_NEEDED = "second_signature_needed"
    SAME_SIGNER = "same_signer"
    ALREADY_SIGNED = "already_signed"
    BELOW_THRESHOLD = "below_threshold"
    TOO_EARLY = "too_early"
    METHOD_NOT_ALLOWED = "method_not_allowed"


class TransitionRefusedError(Exception):
    """Says what the state is now and who made it so.

    `status`, `by` (actor code) and `at` (UTC) are None when there is no enrollment yet.
    """

    def __init__(self, code: RefusalCode, message: str, current: Enrollment | None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status: EnrollmentStatus | None = current.status if current else None
        self.by: str | None = current.status_by if current else None
        self.at: datetime | None = current.status_at if current else None
