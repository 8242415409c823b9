"""What the student's page asks and shows."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from core.domain.enrollment import PaymentMethod
from core.protocol.messages.enrollments import CardView
from core.protocol.messages.fields import Cents, Email, LessonText, Message, Password, ShortText
from core.protocol.messages.payments import CardPayment


class SignUp(Message):
    name: ShortText
    email: Email
    password: Password


class StudentSelf(Message):
    id: UUID
    name: ShortText


class EnrollRequest(Message):
    course: UUID
    method: PaymentMethod


class StudentHouse(Message):
    """The house that the page is of. `methods`: what can be paid with, the first one proposed.

    `demo`: its people and payments are made up. `simulated`: paying by card moves no real money.
    """

    demo: bool
    methods: tuple[PaymentMethod, ...]
    simulated: bool


class CourseRequest(Message):
    course: UUID


class BankDetails(Message):
    """Where to pay. `qr_svg` shows the reference; `reference` is grouped for reading."""

    bank: ShortText
    account_name: ShortText
    account_number: ShortText
    branch_code: ShortText
    reference: ShortText
    amount_cents: Cents
    qr_svg: Annotated[str, StringConstraints(max_length=65536)]


class Payment(Message):
    """How to pay. `methods` are those offered; `bank` is there where an EFT is one of them."""

    card: CardView
    methods: tuple[PaymentMethod, ...]
    bank: BankDetails | None = None
    card_payment: CardPayment | None = None


class Lesson(Message):
    title: ShortText
    body: LessonText


class LessonPage(Message):
    course: UUID
    title: ShortText
    lessons: tuple[Lesson, ...]


class StudentCards(Message):
    """Everything the student's page shows; first message of the student's feed, and of each GET."""

    type: Literal["cards"] = "cards"
    student: StudentSelf | None
    cards: tuple[CardView, ...]


class StudentCard(Message):
    """One changed card; a browser tab applies it only if its version is newer."""

    type: Literal["card"] = "card"
    card: CardView
