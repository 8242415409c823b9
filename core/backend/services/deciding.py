"""The officer's decision: everything that is checked in the one transaction that applies it.

What comes authenticated and rightly signed is an entry even where it is refused or came too late;
only "sign in" and "device not enrolled yet" leave no trace, because they may yet be cured.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.backend.services.commands import DecideCommand
from core.backend.services.money_deciders import refund_changes
from core.backend.services.rows import current_facts
from core.backend.services.signers import barred, final, not_yet
from core.backend.services.verdicts import accepted, enrollment_facts
from core.backend.services.words import decided_by
from core.backend.storage.command import (
    Add,
    Answer,
    Change,
    Context,
    Decided,
    Refused,
    SaveEnrollment,
    Verdict,
)
from core.backend.storage.records import DeviceNumber
from core.backend.storage.workspace import Workspace
from core.domain.decisions import Decision
from core.domain.decisions import Verdict as Wanted
from core.domain.enrollment import Enrollment, EnrollmentStatus
from core.domain.errors import RefusalCode, TransitionRefusedError
from core.domain.events import (
    Approve,
    Event,
    Reinstate,
    Reject,
    ReverseApproval,
    ReverseRejection,
    SignFirst,
)
from core.domain.guards import Policy
from core.domain.roles import DECIDING_ROLES, Actor, staff
from core.domain.state_manager import EnrollmentStateManager, Transition
from core.domain.transitions import RULES
from core.ledger.canonical import Json
from core.ledger.leaf import Leaf, Signed
from core.protocol.messages import AnswerKind
from core.protocol.signing import seen_digest

# Less than idempotency keys are kept, so that no forgotten decision can come back.
MAX_AGE = timedelta(days=365)
REFUSED_ACTION = "decision.refused"
FIRST_SIGNATURE = "enrollment.first_signature"
_TOO_OLD = "This decision waited too long. Look again and decide anew."

_CODES = {
    RefusalCode.WRONG_ROLE: "not_allowed",
    RefusalCode.REASON_NEEDED: "reason_needed",
    RefusalCode.SAME_SIGNER: "same_signer",
}
_Reasoned = type[Reject] | type[ReverseApproval] | type[ReverseRejection] | type[Reinstate]
_REASONED: dict[Wanted, _Reasoned] = {
    Wanted.REJECT: Reject,
    Wanted.REVERSE_APPROVAL: ReverseApproval,
    Wanted.REVERSE_REJECTION: ReverseRejection,
    Wanted.REINSTATE: Reinstate,
}


def decide_decision(workspace: Workspace, command: DecideCommand, context: Context) -> Verdict:
    """Sign-in and device first: then whatever it is, it is kept."""
    decision = command.decision
    waiting = not_yet(workspace, command)
    if waiting is not None:
        return waiting
    done = _carried_out_before(workspace, decision)
    if done is not None:
        return done
    user, device = workspace.users[decision.officer], workspace.devices[decision.device]
    actor = staff(user.id, user.roles & device.roles)
    problem = barred(workspace, command) or _problem(workspace, decision, actor, context)
    if problem is not None:
        return _refuse(workspace, command, context, problem)
    return _apply(workspace, command, context, actor)


def _carried_out_before(workspace: Workspace, decision: Decision) -> Refused | None:
    """Its answer was forgotten; what the number tells is said again, and nothing is written."""
    used = workspace.numbers.get((decision.device, decision.n))
    if used is None or used.decision != decision.id or used.applied_index is None:
        return None
    answer = accepted(decision.enrollment, message="This was carried out before.")
    return Refused(replace(answer, index=used.applied_index))


def _problem(
    workspace: Workspace, decision: Decision, actor: Actor, context: Context
) -> Answer | None:
    if not actor.has_any(DECIDING_ROLES):
        return final("not_allowed", "You are not allowed to decide payments.")
    return (
        _number_problem(workspace, decision)
        or _age_problem(workspace, decision, context)
        or _amount_problem(decision)
        or _state_problem(workspace, decision, context)
    )


def _number_problem(workspace: Workspace, decision: Decision) -> Answer | None:
    """A number is good once: for one decision, or for its withdrawal."""
    used = workspace.numbers.get((decision.device, decision.n))
    if used is None:
        return None
    if used.decision != decision.id:
        return final("number_reused", "This device used this number for another decision.")
    if used.withdrawn:
        return final("withdrawn", "You withdrew this decision.")
    # This very decision, refused then; answers are forgotten long after nobody may send it.
    return final("too_old", _TOO_OLD)


def _amount_problem(decision: Decision) -> Answer | None:
    if decision.amount_received == 0:
        return final("amount_invalid", "The amount received must be more than nothing.")
    return None


def _age_problem(workspace: Workspace, decision: Decision, context: Context) -> Answer | None:
    """How old the officer's view is, by the ledger's own clock."""
    head = workspace.head.size
    if decision.as_of > head:
        return final("ahead", "This decision knows entries that the ledger does not have.")
    seen_at = workspace.entry_times.get(min(decision.as_of, head - 1))
    if seen_at is not None and context.now - seen_at > MAX_AGE:
        return final("too_old", _TOO_OLD)
    return None


def _state_problem(workspace: Workspace, decision: Decision, context: Context) -> Answer | None:
    """Whether the enrollment is still what the officer saw."""
    current = workspace.enrollments.get(decision.enrollment)
    if current is None:
        return final("unknown_enrollment", "There is no such enrollment.")
    if current.status not in _sources(decision.verdict):
        message = decided_by(workspace, current, context.now)
        return final("conflict_decided", message, AnswerKind.CONFLICT_DECIDED)
    facts = current_facts(current, workspace.commitments[current.student])
    if current.version != decision.expected_version or seen_digest(facts) != decision.seen:
        message = "This changed after you saw it. Look again and decide anew."
        return final("conflict_changed", message, AnswerKind.CONFLICT_CHANGED)
    return None


def _sources(verdict: Wanted) -> frozenset[EnrollmentStatus]:
    """The states in which the table knows this verdict at all."""
    event = Approve if verdict is Wanted.APPROVE else _REASONED[verdict]
    return frozenset().union(*(rule.sources for rule in RULES if rule.event is event))


def _apply(workspace: Workspace, command: DecideCommand, context: Context, actor: Actor) -> Verdict:
    decision = command.decision
    policy = Policy(second_signature_from_cents=workspace.settings.threshold_cents)
    manager = EnrollmentStateManager(policy)
    current = workspace.enrollments[decision.enrollment]
    try:
        transition = _transition(manager, current, decision, actor, context)
    except TransitionRefusedError as error:
        code = _CODES.get(error.code, error.code.value)
        return _refuse(workspace, command, context, final(code, error.message))
    count = _signatures(current, decision)
    entry = _leaf(command, context, transition, more={"signatures": count})
    kept = _kept(workspace, command, applied_index=workspace.size)
    money = refund_changes(workspace, transition, actor.code, context)
    changes = (SaveEnrollment(current, transition.after), *kept, *money)
    return Decided(entry, changes, _accepted(transition))


def _transition(
    manager: EnrollmentStateManager,
    current: Enrollment,
    decision: Decision,
    actor: Actor,
    context: Context,
) -> Transition:
    """Over the threshold the first approval is the first of two signatures."""
    try:
        return manager.apply(current, _event(decision, actor, context))
    except TransitionRefusedError as error:
        if error.code is not RefusalCode.SECOND_SIGNATURE_NEEDED:
            raise
    received = decision.amount_received
    return manager.apply(current, SignFirst(actor=actor, at=context.now, amount_received=received))


def _event(decision: Decision, actor: Actor, context: Context) -> Event:
    if decision.verdict is Wanted.APPROVE:
        received = decision.amount_received
        return Approve(actor=actor, at=context.now, amount_received=received)
    return _REASONED[decision.verdict](actor=actor, at=context.now, reason=decision.reason_code)


def _signatures(current: Enrollment, decision: Decision) -> int:
    """How many officers have signed for the money, this one included."""
    approves = decision.verdict is Wanted.APPROVE
    return (1 if current.first_signature else 0) + (1 if approves else 0)


def _accepted(transition: Transition) -> Answer:
    enrollment = transition.after.id
    if transition.action == FIRST_SIGNATURE:
        message = "Signed. A second officer must sign, because of the amount."
        return accepted(enrollment, "first_signature", message)
    return accepted(enrollment)


def _refuse(
    workspace: Workspace, command: DecideCommand, context: Context, answer: Answer
) -> Refused:
    current = workspace.enrollments.get(command.decision.enrollment)
    nothing_changed = Transition(REFUSED_ACTION, before=current, after=current) if current else None
    entry = _leaf(command, context, nothing_changed, more={"code": answer.code})
    return Refused(answer, entry, _kept(workspace, command))


def _kept(
    workspace: Workspace, command: DecideCommand, applied_index: int | None = None
) -> tuple[Change, ...]:
    """The number is used up, and the officer's words are kept, sealed."""
    decision = command.decision
    changes: list[Change] = []
    if (decision.device, decision.n) not in workspace.numbers:
        used = DeviceNumber(decision.device, decision.n, decision.id, applied_index)
        changes.append(Add(used))
    if command.note is not None and command.note.commitment not in workspace.notes:
        changes.append(Add(command.note))
    return tuple(changes)


def _leaf(
    command: DecideCommand,
    context: Context,
    transition: Transition | None,
    *,
    more: dict[str, Json],
) -> Leaf:
    """The entry of a decision; no transition where there is no such enrollment."""
    decision = command.decision
    before = transition.before if transition else None
    facts: dict[str, Json] = enrollment_facts(transition.after) if transition else {}
    facts |= more | {
        "verdict": decision.verdict.value,
        "reason_code": decision.reason_code.value if decision.reason_code else None,
        "reason": decision.reason_commitment,
        "amount_received": decision.amount_received,
    }
    return Leaf(
        entry_id=context.new_id(),
        time=context.now,
        actor=f"user:{decision.officer}",
        device=decision.device,
        action=transition.action if transition else REFUSED_ACTION,
        subject=f"enrollment:{decision.enrollment}",
        before=before.version if before else None,
        after=transition.after.version if transition else None,
        facts=facts,
        signed=Signed(command.payload, command.signature),
    )
