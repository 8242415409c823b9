"""Signed decisions and their answers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from core.protocol.messages.enrollments import EnrollmentRow
from core.protocol.messages.fields import (
    MAX_DECISIONS,
    Base64,
    Index,
    Message,
    Secret,
    ShortText,
    Words,
)

# A withdrawal that came after its decision was carried out.
ALREADY_DECIDED = "already_decided"


class Note(Message):
    """The officer's own words; only their commitment is signed."""

    text: Words
    salt: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class SignedDecision(Message):
    """A signed decision, or a signed withdrawal of one (`core.protocol.signing`).

    `id` repeats the payload's own id, so that an unreadable payload can still be answered.
    """

    id: UUID
    payload: Annotated[str, StringConstraints(max_length=4096)]
    signature: Base64
    note: Note | None = None


class DecisionBatch(Message):
    items: Annotated[tuple[SignedDecision, ...], Field(min_length=1, max_length=MAX_DECISIONS)]


class HeldDecisions(DecisionBatch):
    """What an officer had signed and not sent when the account was disabled.

    The refresh token of a session from before says who; nothing more can be had with it.
    """

    refresh_token: Secret


class AnswerKind(StrEnum):
    ACCEPTED = "accepted"
    CONFLICT_DECIDED = "conflict_decided"
    CONFLICT_CHANGED = "conflict_changed"
    REFUSED = "refused"
    TRANSIENT = "transient"


class DecisionAnswer(Message):
    """`code` and `message` say why, in plain words; transient answers are never stored.

    `index` is the ledger index of an accepted decision (for a withdrawal that came too late: of
    the entry that carried the decision out); `row` is what the enrollment is now.
    """

    id: UUID
    kind: AnswerKind
    code: ShortText
    message: Annotated[str, StringConstraints(max_length=500)]
    index: Index | None = None
    row: EnrollmentRow | None = None

    @model_validator(mode="after")
    def _carried_out_has_an_entry(self) -> Self:
        """What cannot be looked up in the ledger was not carried out."""
        carried_out = self.kind is AnswerKind.ACCEPTED or self.code == ALREADY_DECIDED
        if carried_out and self.index is None:
            raise ValueError("what was carried out has an entry")
        return self


class DecisionAnswers(Message):
    results: tuple[DecisionAnswer, ...]
