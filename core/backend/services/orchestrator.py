"""`ProductionPaymentOrchestrator`: a student's way: enroll, be routed, pay, be let in.

Every change goes through the writer and the state manager; here nothing is decided.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import segno
from sqlalchemy import Connection

from core.backend.services.commands import EnrollCommand, SubmitEftCommand
from core.backend.services.errors import ConflictError, InvalidError, NotFoundError, ServiceError
from core.backend.services.identities import StudentIdentity
from core.backend.services.rows import card_view
from core.backend.services.submitting import submit
from core.backend.storage import lookups, queries
from core.backend.storage.command import Answer
from core.backend.storage.reader import Reader
from core.backend.storage.records import Course, WorkspaceSettings
from core.backend.storage.writer import Writer
from core.domain.enrollment import ENDED_STATUSES, Enrollment, EnrollmentStatus, PaymentMethod
from core.domain.references import make_reference, show_reference
from core.domain.routing import MethodUnavailableError, PaymentMethodRouter
from core.protocol.messages import BankDetails, CardView, Payment, StudentCards, StudentSelf

SPARE_REFERENCES = 4  # should one be taken


class ProductionPaymentOrchestrator:
    def __init__(
        self,
        *,
        reader: Reader,
        writer: Writer,
        router: PaymentMethodRouter,
        new_id: Callable[[], UUID],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._router = router
        self._new_id = new_id
        self._random_bytes = random_bytes

    async def cards(self, student: StudentIdentity | None) -> StudentCards:
        """Every course's card as this visitor sees it; None is somebody not signed in."""
        cards = await self._reader.run(
            lambda c: read_cards(c, student.student if student else None)
        )
        person = StudentSelf(id=student.student, name=student.name) if student else None
        return StudentCards(student=person, cards=cards)

    async def enroll(
        self, student: StudentIdentity, course: UUID, method: PaymentMethod, *, key: str
    ) -> Payment:
        """One pending enrollment, and how to pay for it.

        Raises InvalidError (method not offered), NotFoundError, ConflictError, BusyError.
        """
        try:
            self._router.route_for_student(method)
        except MethodUnavailableError as error:
            raise InvalidError("method_unavailable", str(error)) from error
        command = EnrollCommand(
            student=student.student,
            course=course,
            method=method,
            enrollment=self._new_id(),
            references=tuple(make_reference(self._pick) for _ in range(SPARE_REFERENCES)),
            key=key,
        )
        answer = (await submit(self._writer, command)).answer
        if answer.index is None and answer.code != "wrong_state":
            raise _error(answer)
        # Enrolled before, in another tab perhaps: there is one record, and this is how to pay it.
        return await self.payment(student, course)

    async def payment(self, student: StudentIdentity, course: UUID) -> Payment:
        """How to pay for a pending enrollment. Raises NotFoundError, ConflictError."""
        enrollment, taught, settings = await self._reader.run(
            lambda c: _read_payment(c, student.student, course)
        )
        if enrollment is None or taught is None:
            raise NotFoundError("not_enrolled", "Please enroll first.")
        if enrollment.status is not EnrollmentStatus.PENDING:
            message = f"There is nothing to pay: this enrollment is {enrollment.status.value}."
            raise ConflictError("wrong_state", message)
        if not settings.has_bank:
            raise ConflictError("no_bank_details", "The bank details are not set up here yet.")
        return Payment(card=card_view(taught, enrollment), bank=_bank_details(settings, enrollment))

    async def submit_eft(self, student: StudentIdentity, course: UUID, *, key: str) -> CardView:
        """ "I have paid": the claim waits for an officer from now on.

        Raises NotFoundError, ConflictError, BusyError.
        """
        command = SubmitEftCommand(
            student=student.student, course=course, claim=self._new_id(), key=key
        )
        answer = (await submit(self._writer, command)).answer
        # Said before, in another tab perhaps: it waits already, and that is what was wanted.
        if answer.index is None and answer.code != "claim_waiting":
            raise _error(answer)
        cards = await self._reader.run(lambda c: read_cards(c, student.student))
        return next(card for card in cards if card.course == course)

    def _pick(self, below: int) -> int:
        """A fair random number below `below` (at most 256): odd ends are thrown away."""
        fair = 256 - 256 % below
        while (byte := self._random_bytes(1)[0]) >= fair:
            pass
        return byte % below


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


def _read_payment(
    connection: Connection, student: UUID, course: UUID
) -> tuple[Enrollment | None, Course | None, WorkspaceSettings]:
    found = lookups.read_courses(connection, [course])
    return (
        queries.read_place(connection, student, course),
        found[0] if found else None,
        lookups.read_settings(connection),
    )


def _bank_details(settings: WorkspaceSettings, enrollment: Enrollment) -> BankDetails:
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


def _error(answer: Answer) -> ServiceError:
    if answer.code in {"unknown_course", "not_enrolled"}:
        return NotFoundError(answer.code, answer.message)
    return ConflictError(answer.code, answer.message)
