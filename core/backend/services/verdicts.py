"""Small pieces that deciders share: answers, entries, and the facts about an enrollment."""

from __future__ import annotations

from uuid import UUID

from core.backend.storage.command import Answer, Context, Refused
from core.domain.enrollment import Enrollment
from core.domain.roles import SYSTEM, Actor
from core.ledger.canonical import Json
from core.ledger.leaf import Leaf, Signed
from core.protocol.messages import AnswerKind

# Codes that a later try with the same bytes may get past; never kept.
TRANSIENT = frozenset({"sign_in_needed", "device_pending", "busy", "unknown"})


def accepted(subject: UUID, code: str = "accepted", message: str = "Done.") -> Answer:
    return Answer(AnswerKind.ACCEPTED, code, message, subject=subject)


def refused(code: str, message: str) -> Refused:
    """A refusal that leaves no trace; asking again asks anew."""
    kind = AnswerKind.TRANSIENT if code in TRANSIENT else AnswerKind.REFUSED
    return Refused(Answer(kind, code, message))


def enrollment_facts(enrollment: Enrollment) -> dict[str, Json]:
    """What an entry tells of an enrollment after the change: codes, ids and cents only."""
    claim = enrollment.claim
    return {
        "student": str(enrollment.student),
        "course": str(enrollment.course),
        "status": enrollment.status.value,
        "round": enrollment.round,
        "reference": enrollment.reference,
        "method": enrollment.method.value if enrollment.method else None,
        "amount_cents": enrollment.amount_cents,
        "claim": str(claim.id) if claim else None,
        "claim_cents": claim.amount_cents if claim else None,
        "signatures": 1 if enrollment.first_signature else 0,
    }


def make_leaf(
    context: Context,
    *,
    actor: Actor = SYSTEM,
    action: str,
    subject: str,
    facts: dict[str, Json],
    before: int | None = None,
    after: int | None = None,
    device: UUID | None = None,
    signed: Signed | None = None,
) -> Leaf:
    """An entry of now, with a fresh id."""
    return Leaf(
        entry_id=context.new_id(),
        time=context.now,
        actor=actor.code,
        device=device,
        action=action,
        subject=subject,
        before=before,
        after=after,
        facts=facts,
        signed=signed,
    )
