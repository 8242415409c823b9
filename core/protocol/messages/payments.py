"""Card payments: what a student is told, and what staff see of links, late money and refunds."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, StringConstraints

from core.domain.card_money import LateReason, LateState, LinkState, RefundState, Settlement
from core.domain.enrollment import AttemptStatus, EnrollmentStatus
from core.domain.failures import FailureClass
from core.protocol.messages.fields import Cents, Index, Line, Message, ShortText, Words

PayUrl = Annotated[str, StringConstraints(max_length=500, pattern=r"^https?://[\x21-\x7e]+$")]
Sentence = Annotated[str, StringConstraints(max_length=500)]


class CardPayment(Message):
    """The newest try to pay by card. `url` is the provider's page, while the state is `open`.

    `starting`: the provider has not answered yet, ask again soon. Coming back from the provider's
    page proves nothing: an open payment is being confirmed. `retry`: another try makes sense.
    """

    attempt: UUID
    state: Literal["starting", "open", "failed"]
    url: PayUrl | None = None
    failure: FailureClass | None = None
    message: Sentence = ""
    next_step: Sentence = ""
    retry: bool = True


class CardAttempt(Message):
    """One try and its link, as staff see it. `word` is what the provider last said, as it said it.

    `failure_message` tells `failure` in plain words. `next_ask_at` None: nothing to ask any more.
    """

    attempt: UUID
    enrollment: UUID
    reference: ShortText
    student_name: ShortText
    course_title: ShortText
    round: Index
    cents: Cents
    status: AttemptStatus
    failure: FailureClass | None
    failure_message: Sentence
    link_state: LinkState
    provider: ShortText
    link_id: ShortText | None
    word: Line
    created_at: AwareDatetime
    asked_at: AwareDatetime | None
    next_ask_at: AwareDatetime | None


class CardAttemptPage(Message):
    """Newest first; `next_after` None on the last page."""

    rows: tuple[CardAttempt, ...]
    next_after: UUID | None = None


class CardAsked(Message):
    """What came of asking the provider now; `message` is for people."""

    answer: ShortText
    message: Sentence
    row: CardAttempt


class LateMoneyRow(Message):
    """Money that came and was applied to nothing. The last five are set once it is settled."""

    id: UUID
    reason: LateReason
    cents: Cents | None
    provider: ShortText
    link_id: ShortText
    found_at: AwareDatetime
    attempt: UUID | None
    enrollment: UUID | None
    enrollment_status: EnrollmentStatus | None
    reference: ShortText | None
    student_name: ShortText | None
    course_title: ShortText | None
    state: LateState
    how: Settlement | None = None
    by_name: ShortText | None = None
    at: AwareDatetime | None = None
    words: Words | None = None


class LateMoneyPage(Message):
    """Newest first."""

    rows: tuple[LateMoneyRow, ...]
    next_after: UUID | None = None


class SettleLateMoney(Message):
    """What a person did with it, and why. `applied` records a payment that waits for approval."""

    how: Settlement
    words: Words


class RefundRow(Message):
    """Money to give back. `by_name` and `at` are of the last step."""

    attempt: UUID
    enrollment: UUID
    reference: ShortText
    student_name: ShortText
    course_title: ShortText
    cents: Cents
    state: RefundState
    opened_at: AwareDatetime
    by_name: ShortText
    at: AwareDatetime


class RefundPage(Message):
    """Newest payments first."""

    rows: tuple[RefundRow, ...]
    next_after: UUID | None = None
