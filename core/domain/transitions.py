"""The state table as data: one `Rule` per line of DESIGN.md section 3."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain import effects, guards
from core.domain.effects import Effect
from core.domain.enrollment import EnrollmentStatus
from core.domain.events import (
    AccessEnds,
    Approve,
    AskManualApproval,
    CardConfirmed,
    CardFailed,
    Complete,
    EnrollAgain,
    Event,
    Expire,
    FactsChanged,
    RecordPayment,
    Reinstate,
    Reject,
    ReverseApproval,
    ReverseRejection,
    SignFirst,
    StartCard,
    SubmitEft,
)
from core.domain.guards import Guard
from core.domain.roles import DECIDING_ROLES, STAFF_ROLES, Role

PENDING = EnrollmentStatus.PENDING
APPROVED = EnrollmentStatus.APPROVED
REJECTED = EnrollmentStatus.REJECTED
EXPIRED = EnrollmentStatus.EXPIRED
REVOKED = EnrollmentStatus.REVOKED
COMPLETED = EnrollmentStatus.COMPLETED

STUDENT = frozenset({Role.STUDENT})
SUPERVISOR = frozenset({Role.SUPERVISOR})
GATEWAY = frozenset({Role.GATEWAY})
SYSTEM = frozenset({Role.SYSTEM})
ANYBODY = STUDENT | STAFF_ROLES | GATEWAY | SYSTEM


@dataclass(frozen=True, slots=True)
class Rule:
    """`target` None keeps the status; `raises_version` False writes an entry and changes nothing.

    `action` is the code that the ledger keeps for ever.
    """

    event: type[Event]
    sources: frozenset[EnrollmentStatus]
    actors: frozenset[Role]
    action: str
    target: EnrollmentStatus | None = None
    guards: tuple[Guard, ...] = ()
    effect: Effect = effects.unchanged
    raises_version: bool = True


def _from(*statuses: EnrollmentStatus) -> frozenset[EnrollmentStatus]:
    return frozenset(statuses)


ENROLLED = "enrollment.enrolled"  # the one event without an enrollment before it
EVERY_STATUS = frozenset(EnrollmentStatus)

# For one event the first rule whose status and guards fit wins; the first refusal is the one told.
RULES: tuple[Rule, ...] = (
    Rule(
        EnrollAgain, _from(REJECTED, EXPIRED), STUDENT, "enrollment.enrolled_again",
        PENDING, effect=effects.next_round,
    ),
    Rule(
        EnrollAgain, _from(REVOKED), SUPERVISOR, "enrollment.enrolled_again",
        PENDING, effect=effects.next_round,
    ),
    Rule(StartCard, _from(PENDING), STUDENT, "card.started", effect=effects.open_attempt),
    Rule(
        SubmitEft, _from(PENDING), STUDENT, "claim.submitted",
        guards=(guards.no_waiting_claim,), effect=effects.eft_claim,
    ),
    Rule(
        RecordPayment, _from(PENDING), DECIDING_ROLES, "claim.recorded",
        guards=(guards.no_waiting_claim, guards.manual_or_eft), effect=effects.recorded_claim,
    ),
    Rule(
        CardConfirmed, _from(PENDING), GATEWAY, "enrollment.approved", APPROVED,
        guards=(guards.attempt_of_this_round_and_cents,), effect=effects.pay_attempt,
    ),
    Rule(CardConfirmed, EVERY_STATUS, GATEWAY, "card.late_money", raises_version=False),
    Rule(
        CardFailed, EVERY_STATUS, GATEWAY, "card.failed",
        guards=(guards.attempt_open,), effect=effects.fail_attempt,
    ),
    Rule(
        AskManualApproval, _from(PENDING), STUDENT, "claim.manual_asked",
        guards=(guards.no_waiting_claim, guards.failed_often), effect=effects.manual_claim,
    ),
    Rule(
        FactsChanged, _from(PENDING), ANYBODY, "enrollment.facts_changed",
        effect=effects.change_facts,
    ),
    Rule(
        SignFirst, _from(PENDING), DECIDING_ROLES, "enrollment.first_signature",
        guards=(guards.claim_waits, guards.needs_first_signature), effect=effects.sign_first,
    ),
    Rule(
        Approve, _from(PENDING), DECIDING_ROLES, "enrollment.approved", APPROVED,
        guards=(guards.claim_waits, guards.enough_signatures), effect=effects.close_claim,
    ),
    Rule(
        Reject, _from(PENDING), DECIDING_ROLES, "enrollment.rejected", REJECTED,
        guards=(guards.claim_waits, guards.reason_given), effect=effects.close_claim,
    ),
    Rule(
        Expire, _from(PENDING), SYSTEM, "enrollment.expired", EXPIRED,
        guards=(guards.no_waiting_claim, guards.older_than_limit),
    ),
    Rule(
        AccessEnds, _from(APPROVED, COMPLETED), SYSTEM, "enrollment.access_ended", EXPIRED,
        guards=(guards.access_time_over,),
    ),
    Rule(
        ReverseApproval, _from(APPROVED, COMPLETED), SUPERVISOR, "enrollment.approval_reversed",
        REVOKED, guards=(guards.reason_given,),
    ),
    Rule(
        ReverseRejection, _from(REJECTED), SUPERVISOR, "enrollment.rejection_reversed",
        PENDING, effect=effects.reopen_claim,
    ),
    Rule(Reinstate, _from(REVOKED), SUPERVISOR, "enrollment.reinstated", APPROVED),
    Rule(Complete, _from(APPROVED), SYSTEM, "enrollment.completed", COMPLETED),
)  # fmt: skip
