"""Valid objects of the domain, each with one call; name what the test is about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from core.domain.enrollment import (
    Claim,
    ClaimStatus,
    Enrollment,
    EnrollmentStatus,
    PaymentMethod,
)

NOON = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def make_claim(**changes: Any) -> Claim:
    """A waiting EFT claim of round 1."""
    values: dict[str, Any] = {
        "id": uuid7(),
        "method": PaymentMethod.EFT,
        "status": ClaimStatus.WAITING,
        "round": 1,
        "amount_cents": 125_000,
        "submitted_at": NOON,
    }
    return Claim(**values | changes)


def make_enrollment(*, student: UUID, course: UUID, **changes: Any) -> Enrollment:
    """A pending enrollment at version 1, without claim."""
    values: dict[str, Any] = {
        "id": uuid7(),
        "student": student,
        "course": course,
        "status": EnrollmentStatus.PENDING,
        "version": 1,
        "round": 1,
        "reference": "K7QM3XRA",
        "amount_cents": 125_000,
        "method": PaymentMethod.EFT,
        "status_by": f"student:{student}",
        "status_at": NOON,
        "created_at": NOON,
    }
    return Enrollment(**values | changes)
