"""What a student's page shows: the cards of all courses, and how to pay for one."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import segno
from sqlalchemy import Connection

from core.backend.services.rows import card_view
from core.backend.storage import lookups, payments, queries
from core.backend.storage.payment_records import CardLink
from core.backend.storage.records import Course, WorkspaceSettings
from core.domain.card_money import LinkState
from core.domain.course_card import explain_code, failure_class
from core.domain.enrollment import ENDED_STATUSES, Attempt, AttemptStatus, Enrollment
from core.domain.references import show_reference
from core.protocol.messages import BankDetails, CardPayment, CardView


def read_cards(connection: Connection, student: UUID | None) -> tuple[CardView, ...]:
    """The cards of all courses for one student, or for nobody.

    A retired course is shown to whoever is enrolled in it, and to nobody else.
    """
    taught = queries.read_all_courses(connection)
    mine = queries.read_student_enrollments(connection, student) if student else {}
    logged_in = student is not None
    return tuple(
        card_view(course, mine.get(course.id), logged_in=logged_in)
        for course in taught
        if not course.retired or _is_enrolled(mine.get(course.id))
    )


def _is_enrolled(enrollment: Enrollment | None) -> bool:
    return enrollment is not None and enrollment.status not in ENDED_STATUSES


@dataclass(frozen=True, slots=True)
class Owed:
    """An enrollment, its course, the house, and the links of its card attempts."""

    enrollment: Enrollment
    course: Course
    settings: WorkspaceSettings
    links: dict[UUID, CardLink]

    @property
    def newest(self) -> Attempt | None:
        """The last try to pay by card in this round."""
        attempts = self.enrollment.attempts_of_round()
        return attempts[-1] if attempts else None


def read_owed(connection: Connection, student: UUID, course: UUID) -> Owed | None:
    """None where this student is not enrolled there."""
    found = lookups.read_courses(connection, [course])
    enrollment = queries.read_place(connection, student, course)
    if enrollment is None or not found:
        return None
    links = payments.read_links(connection, enrollments=[enrollment.id])
    settings = lookups.read_settings(connection)
    return Owed(enrollment, found[0], settings, {link.attempt: link for link in links})


def card_payment(owed: Owed) -> CardPayment | None:
    """The newest try of this round; None where there is none, or it was paid."""
    attempt = owed.newest
    if attempt is None or attempt.status is AttemptStatus.PAID:
        return None
    link = owed.links.get(attempt.id)
    if attempt.status is AttemptStatus.FAILED:
        failure = explain_code(attempt.failure)
        return CardPayment(
            attempt=attempt.id,
            state="failed",
            failure=failure_class(attempt.failure),
            message=failure.message,
            next_step=failure.next_step,
            retry=failure.retry,
        )
    if link is None or link.state is not LinkState.OPEN or link.url is None:
        message = "The card payment service has not answered yet."
        step = "Wait a moment, then try again."
        return CardPayment(attempt=attempt.id, state="starting", message=message, next_step=step)
    return CardPayment(
        attempt=attempt.id,
        state="open",
        url=link.url,
        message="We are confirming your payment. This page changes by itself.",
        next_step="Not paid yet? Go on to the payment page.",
    )


def bank_details(settings: WorkspaceSettings, enrollment: Enrollment) -> BankDetails:
    """Where to pay by EFT, with the reference and its picture."""
    return BankDetails(
        bank=settings.bank,
        account_name=settings.account_name,
        account_number=settings.account_number,
        branch_code=settings.branch_code,
        reference=show_reference(enrollment.reference),
        amount_cents=enrollment.amount_cents,
        qr_svg=segno.make(enrollment.reference, error="m", micro=False).svg_inline(
            scale=4, title="Payment reference"
        ),
    )
