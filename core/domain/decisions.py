"""A decision: what an officer decided about an enrollment, bound to what the screen showed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Verdict(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    REVERSE_APPROVAL = "reverse_approval"
    REVERSE_REJECTION = "reverse_rejection"
    REINSTATE = "reinstate"


class ReasonCode(StrEnum):
    """Why, as a code: the words a person adds travel beside it and never enter the ledger."""

    NO_PAYMENT_FOUND = "no_payment_found"
    WRONG_AMOUNT = "wrong_amount"
    WRONG_REFERENCE = "wrong_reference"
    DUPLICATE_CLAIM = "duplicate_claim"
    PROOF_UNREADABLE = "proof_unreadable"
    PAYMENT_REVERSED = "payment_reversed"
    MISTAKE = "mistake"
    OTHER = "other"


NEEDS_REASON = frozenset({Verdict.REJECT, Verdict.REVERSE_APPROVAL})


@dataclass(frozen=True, slots=True)
class Decision:
    """The content that the device signs.

    `n` counts the decisions of one device; `as_of` is the ledger index that the officer had seen;
    `seen` is the hex digest of the facts on the screen; `reason_commitment` hides the officer's own
    words; `amount_received` is cents.
    """

    id: UUID
    officer: UUID
    device: UUID
    n: int
    as_of: int
    enrollment: UUID
    expected_version: int
    seen: str
    verdict: Verdict
    reason_code: ReasonCode | None = None
    reason_commitment: str | None = None
    amount_received: int | None = None


@dataclass(frozen=True, slots=True)
class SeenFacts:
    """What the screen showed when the officer decided. `student` is a commitment, not a name."""

    enrollment: UUID
    version: int
    student: str
    course: UUID
    method: str
    reference: str
    amount_cents: int
    claim_cents: int | None
    proof: str | None
    signatures: int
