"""Rows for the tests of the protocol and the client."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from core.domain.enrollment import ClaimStatus, EnrollmentStatus, PaymentMethod, PaymentStatus
from core.protocol.messages import ClaimRow, EnrollmentRow, Student

NOW = datetime(2026, 3, 2, 10, 42, tzinfo=UTC)
EPOCH = UUID(int=0xE)
TOKEN = "token-of-at-least-16"


def row(number: int = 1, *, version: int = 1, waiting: bool = True) -> EnrollmentRow:
    """The row of enrollment `number`: waiting for approval, or approved."""
    status = EnrollmentStatus.PENDING if waiting else EnrollmentStatus.APPROVED
    return EnrollmentRow(
        enrollment=UUID(int=number),
        version=version,
        status=status,
        round=1,
        reference="K7QM3XRA",
        student=Student(
            id=UUID(int=1), name="Thandi Mokoena", email="thandi@example.org", salt="ab" * 16
        ),
        course=UUID(int=2),
        course_title="Bookkeeping",
        method=PaymentMethod.EFT,
        payment_status=PaymentStatus.PROCESSING if waiting else PaymentStatus.COMPLETED,
        amount_cents=125_000,
        claim=ClaimRow(
            id=UUID(int=3),
            method=PaymentMethod.EFT,
            status=ClaimStatus.WAITING if waiting else ClaimStatus.CLOSED,
            amount_cents=125_000,
            submitted_at=NOW,
        ),
        waiting=waiting,
        status_by="system",
        status_by_name="Bursar",
        status_at=NOW,
        created_at=NOW,
    )
