"""What the outbox holds: an officer's decisions and withdrawals, and what became of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from core.domain.decisions import Verdict
from core.protocol.messages import DecisionAnswer, EnrollmentRow, Note


class OutboxState(StrEnum):
    """Where an item is. `withdrawn`: its officer discarded it, and a withdrawal is on its way."""

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    CONFLICT = "conflict"
    REFUSED = "refused"
    NEEDS_PERSON = "needs_person"
    WITHDRAWN = "withdrawn"


WAITING_STATES = frozenset({OutboxState.QUEUED, OutboxState.SENDING})
FINAL_STATES = frozenset(
    {OutboxState.ACCEPTED, OutboxState.CONFLICT, OutboxState.REFUSED, OutboxState.WITHDRAWN}
)
# What somebody should look at, unless it was dismissed.
ATTENTION_STATES = frozenset({OutboxState.CONFLICT, OutboxState.REFUSED, OutboxState.NEEDS_PERSON})


class ItemKind(StrEnum):
    DECISION = "decision"
    WITHDRAWAL = "withdrawal"


@dataclass(frozen=True, slots=True)
class Draft:
    """A decision before it has its number. `reference` and `cents` are for showing it later.

    `shown` is the row exactly as the officer saw it.
    """

    id: UUID
    officer: UUID
    device: UUID
    enrollment: UUID
    verdict: Verdict
    note: Note | None
    created_at: datetime
    reference: str
    cents: int
    shown: EnrollmentRow | None = None


@dataclass(frozen=True, slots=True)
class SignedBytes:
    payload: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedWithdrawal:
    """A withdrawal, ready to be stored."""

    id: UUID
    created_at: datetime
    signed: SignedBytes


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One decision or withdrawal, and what became of it.

    `n` of a withdrawal is that of the decision it takes back, `withdraws` that decision's id; it
    repeats the decision's verdict, reference, cents and row. `reason_code` and `reason_message`
    say why it is where it is; `note_lost` that its note was sealed with a key this computer no
    longer has. `settled_at` is when its final answer came. `dismissed`: its officer has seen how
    it ended and wants it off the list. `confirmed`: this console checked that the ledger holds it
    as it was signed.
    """

    id: UUID
    officer: UUID
    device: UUID
    n: int
    enrollment: UUID
    verdict: Verdict
    payload: bytes
    signature: bytes
    note: Note | None
    note_lost: bool
    state: OutboxState
    attempts: int
    not_before: datetime
    reason_code: str | None
    reason_message: str | None
    answer: DecisionAnswer | None
    created_at: datetime
    reference: str
    cents: int
    kind: ItemKind = ItemKind.DECISION
    withdraws: UUID | None = None
    shown: EnrollmentRow | None = None
    settled_at: datetime | None = None
    dismissed: bool = False
    confirmed: bool = False

    @property
    def is_settled(self) -> bool:
        """Nothing more will happen to it by itself: its final answer, or its withdrawal's, came."""
        return self.state in FINAL_STATES and self.settled_at is not None


@dataclass(frozen=True, slots=True)
class OutboxSummary:
    """Of one officer: how many wait to be sent, since when (UTC), how many somebody must see."""

    waiting: int
    oldest: datetime | None
    needs_attention: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something was set aside, never deleted: `message` is in plain words, without names.

    `path` is the file that was kept, or None where single rows were moved inside the outbox;
    `items` are the ids of those rows as far as they can be read.
    """

    id: int
    at: datetime
    message: str
    path: Path | None
    items: tuple[UUID, ...]


Sign = Callable[[int], SignedBytes]
SignWithdrawal = Callable[[OutboxItem], SignedWithdrawal]
