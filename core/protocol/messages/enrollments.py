"""Enrollments as staff see them, and the student's card."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, StringConstraints

from core.domain.enrollment import ClaimStatus, EnrollmentStatus, PaymentMethod, PaymentStatus
from core.protocol.messages.fields import Cents, Email, Hex32, Index, Message, ShortText, Summary


class Student(Message):
    """`salt` (hex) and name and email make the commitment that an officer's decision carries."""

    id: UUID
    name: ShortText
    email: Email
    salt: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class Signature(Message):
    officer: UUID
    officer_name: ShortText
    at: AwareDatetime


class ClaimRow(Message):
    id: UUID
    method: PaymentMethod
    status: ClaimStatus
    amount_cents: Cents
    submitted_at: AwareDatetime
    proof: Hex32 | None = None
    first_signature: Signature | None = None


class EnrollmentRow(Message):
    """The current state of one enrollment as staff see it; newer `version` wins."""

    enrollment: UUID
    version: Index
    status: EnrollmentStatus
    round: Index
    reference: ShortText
    student: Student
    course: UUID
    course_title: ShortText
    method: PaymentMethod | None
    payment_status: PaymentStatus
    amount_cents: Cents
    claim: ClaimRow | None
    waiting: bool
    status_by: ShortText
    status_by_name: ShortText
    status_at: AwareDatetime
    created_at: AwareDatetime


class TimelineEntry(Message):
    """One ledger entry of an enrollment; worded when shown."""

    index: Index
    leaf: Annotated[str, StringConstraints(max_length=65536)]
    actor_name: ShortText


class CardView(Message):
    """One course card as one student sees it. `version` 0: no enrollment yet.

    `payment` is how the payment stands, where there is an enrollment; `can_ask`: after several
    failed cards a person may be asked to approve without one.
    """

    course: UUID
    title: ShortText
    summary: Summary
    price_cents: Cents
    label: ShortText
    action: ShortText
    enabled: bool
    message: Annotated[str, StringConstraints(max_length=500)]
    version: Index
    enrollment: UUID | None = None
    payment: PaymentStatus | None = None
    can_ask: bool = False


class EnrollmentDetail(Message):
    row: EnrollmentRow
    timeline: tuple[TimelineEntry, ...]
    card: CardView


class RowPage(Message):
    rows: tuple[EnrollmentRow, ...]
    next_after: str | None
