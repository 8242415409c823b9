"""The one place that turns stored state into what people see: rows, cards, names.

Routes, feed and the digest of what an officer saw all use these.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from uuid import UUID

from core.backend.storage.queries import Bundle
from core.backend.storage.records import Course, Student
from core.backend.storage.vault import Vault
from core.backend.storage.workspace import user_of
from core.domain.course_card import course_card
from core.domain.decisions import SeenFacts
from core.domain.enrollment import ENDED_STATUSES, Claim, Enrollment, FirstSignature
from core.protocol.messages import CardView, ClaimRow, EnrollmentRow, Signature
from core.protocol.messages import Student as StudentView

_OTHERS = {"gateway": "Card provider", "system": "System"}
_UNKNOWN = "Somebody"


def student_place(student: UUID) -> str:
    """Where a student's personal data is sealed for."""
    return f"students/{student}"


def pack_person(name: str, email: str) -> bytes:
    """Name and email as they are sealed."""
    return json.dumps([name, email]).encode()


def commitment_text(name: str, email: str) -> str:
    """What the commitment to a student is over; `core.protocol.signing` computes it alike."""
    return f"{name}\n{email}"


def shown_signature(enrollment: Enrollment) -> FirstSignature | None:
    """The first signature while it holds; once decided, the one that led there."""
    claim = enrollment.claim
    if claim is None:
        return None
    return enrollment.first_signature if enrollment.waiting_claim else claim.first_signature


def current_facts(enrollment: Enrollment, student_commitment: str) -> SeenFacts:
    """What a row of this enrollment shows, without opening anybody's name."""
    claim = enrollment.claim
    return SeenFacts(
        enrollment=enrollment.id,
        version=enrollment.version,
        student=student_commitment,
        course=enrollment.course,
        method=enrollment.method.value if enrollment.method else "",
        reference=enrollment.reference,
        amount_cents=enrollment.amount_cents,
        claim_cents=claim.amount_cents if claim else None,
        proof=claim.proof if claim else None,
        signatures=1 if shown_signature(enrollment) else 0,
    )


def actor_name(actor: str, names: Mapping[UUID, str], student: str) -> str:
    """A person or program in plain words; `student` is the name of the enrollment's student."""
    user = user_of(actor)
    if user is not None:
        return names.get(user, _UNKNOWN)
    return student if actor.startswith("student:") else _OTHERS.get(actor, _UNKNOWN)


def card_view(course: Course, enrollment: Enrollment | None, *, logged_in: bool = True) -> CardView:
    """A course's card for one visitor. Whoever would enroll anew pays the price of today."""
    card = course_card(logged_in=logged_in, enrollment=enrollment)
    return CardView(
        course=course.id,
        title=course.title,
        summary=course.summary,
        price_cents=_price(course, enrollment),
        label=card.label.value,
        action=card.action.value,
        enabled=card.enabled,
        message=card.message,
        version=enrollment.version if enrollment else 0,
        enrollment=enrollment.id if enrollment else None,
        payment=enrollment.payment_status if enrollment else None,
        can_ask=card.can_ask,
    )


def _price(course: Course, enrollment: Enrollment | None) -> int:
    if enrollment is None or enrollment.status in ENDED_STATUSES:
        return course.price_cents
    return enrollment.amount_cents


class Rows:
    """Opens sealed names. They are kept nowhere: opening one takes a few microseconds."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def person(self, student: Student) -> StudentView:
        plain = self._vault.open(student.sealed, place=student_place(student.id))
        name, email = json.loads(plain)
        return StudentView(id=student.id, name=name, email=email, salt=student.salt.hex())

    def enrollment_row(self, bundle: Bundle) -> EnrollmentRow:
        """The row of an enrollment as staff see it."""
        enrollment = bundle.enrollment
        person = self.person(bundle.student)
        claim = enrollment.claim
        return EnrollmentRow(
            enrollment=enrollment.id,
            version=enrollment.version,
            status=enrollment.status,
            round=enrollment.round,
            reference=enrollment.reference,
            student=person,
            course=enrollment.course,
            course_title=bundle.course.title,
            method=enrollment.method,
            payment_status=enrollment.payment_status,
            amount_cents=enrollment.amount_cents,
            claim=None
            if claim is None
            else _claim_row(claim, shown_signature(enrollment), bundle.names),
            waiting=enrollment.waiting_claim is not None,
            status_by=enrollment.status_by,
            status_by_name=actor_name(enrollment.status_by, bundle.names, person.name),
            status_at=enrollment.status_at,
            created_at=enrollment.created_at,
        )


def _claim_row(claim: Claim, first: FirstSignature | None, names: Mapping[UUID, str]) -> ClaimRow:
    return ClaimRow(
        id=claim.id,
        method=claim.method,
        status=claim.status,
        amount_cents=claim.amount_cents,
        submitted_at=claim.submitted_at,
        proof=claim.proof,
        first_signature=None
        if first is None
        else Signature(
            officer=first.officer,
            officer_name=names.get(first.officer, _UNKNOWN),
            at=first.at,
        ),
    )
