"""Late money and refunds, decided: what nobody applies by itself, and what a person did with it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from core.backend.services.administration_deciders import Asking, Problem, asker_problem
from core.backend.services.applying import transition_leaf, transition_of
from core.backend.services.card_deciders import LATE_MONEY
from core.backend.services.payment_commands import (
    MoveRefundCommand,
    SettleLateMoneyCommand,
    UnknownMoneyCommand,
)
from core.backend.services.verdicts import accepted, enrollment_facts, make_leaf, refused
from core.backend.storage.command import (
    Add,
    Change,
    Context,
    Decided,
    Refused,
    Save,
    SaveEnrollment,
    Verdict,
)
from core.backend.storage.payment_records import LateMoney, Refund
from core.backend.storage.workspace import Workspace
from core.domain.card_money import (
    REFUND_STEPS,
    LateReason,
    LateState,
    RefundState,
    Settlement,
)
from core.domain.enrollment import AttemptStatus, Enrollment, PaymentMethod
from core.domain.events import RecordPayment
from core.domain.roles import DECIDING_ROLES, GATEWAY, Actor
from core.domain.state_manager import Transition
from core.ledger.canonical import Json
from core.ledger.leaf import Leaf

SETTLED = "late_money.settled"
_NOT_YOURS: Problem = ("not_allowed", "Only a finance officer or a supervisor can do this.")


def _problem(workspace: Workspace, command: Asking) -> Problem | None:
    """Why this person may not decide about money now."""
    problem = asker_problem(workspace, command, None)
    if problem is not None or command.actor.id is None:
        return problem or _NOT_YOURS
    roles = workspace.users[command.actor.id].roles
    return _NOT_YOURS if roles.isdisjoint(DECIDING_ROLES) else None


# --- late money --------------------------------------------------------------------------------


def decide_unknown_money(
    workspace: Workspace, command: UnknownMoneyCommand, context: Context
) -> Verdict:
    """Money that the provider's history has and no link of ours explains."""
    reason = LateReason.OTHER_TRANSACTION if command.attempt else LateReason.UNKNOWN_TRANSACTION
    money = LateMoney(
        id=command.money,
        provider=command.provider,
        link_id=command.link_id,
        attempt=command.attempt,
        enrollment=command.enrollment,
        cents=command.cents,
        reason=reason,
        found_at=context.now,
        index=workspace.size,
    )
    facts: dict[str, Json] = {"late": reason.value, "cents": command.cents}
    about = workspace.enrollments.get(command.enrollment) if command.enrollment else None
    entry = _leaf(context, GATEWAY, LATE_MONEY, about or money, facts)
    return Decided(entry, (Add(money),), accepted(money.id, "late_money"))


def decide_settle_late_money(
    workspace: Workspace, command: SettleLateMoneyCommand, context: Context
) -> Verdict:
    money = workspace.late_money.get(command.money)
    problem = _problem(workspace, command)
    if problem is None and money is None:
        problem = ("unknown_late_money", "There is no such money.")
    if problem is None and money is not None and money.state is LateState.SETTLED:
        problem = ("already_settled", "Somebody has settled this already.")
    if problem is not None or money is None:
        return refused(*(problem or _NOT_YOURS))
    if command.how is Settlement.APPLIED:
        return _applied(workspace, command, context, money)
    facts, changes = _settled(command, context, money)
    about = workspace.enrollments.get(money.enrollment) if money.enrollment else None
    entry = _leaf(context, command.actor, SETTLED, about or money, facts)
    return Decided(entry, changes, accepted(money.id))


def _applied(
    workspace: Workspace, command: SettleLateMoneyCommand, context: Context, money: LateMoney
) -> Verdict:
    """A recorded payment: it waits for an officer's signed decision like any other claim."""
    if money.enrollment is None or not money.cents:
        message = "This money names no enrollment, or no amount: it cannot be applied."
        return refused("cannot_apply", message)
    event = RecordPayment(
        actor=command.actor, at=context.now, claim=command.claim,
        method=PaymentMethod.MANUAL, amount_cents=money.cents,
    )  # fmt: skip
    done = transition_of(workspace, money.enrollment, event)
    if isinstance(done, Refused):
        return done
    facts, changes = _settled(command, context, money)
    entry = transition_leaf(context, event, done, facts)
    return Decided(entry, (SaveEnrollment(done.before, done.after), *changes), accepted(money.id))


def _settled(
    command: SettleLateMoneyCommand, context: Context, money: LateMoney
) -> tuple[dict[str, Json], tuple[Change, ...]]:
    """What the entry says of it, and what is kept."""
    commitment = command.note.commitment
    settled = replace(
        money, state=LateState.SETTLED, how=command.how, by=command.actor.code,
        at=context.now, note=commitment,
    )  # fmt: skip
    facts: dict[str, Json] = {
        "late_money": str(money.id),
        "how": command.how.value,
        "cents": money.cents,
        "reason": commitment,
    }
    return facts, (Save(settled), Add(command.note))


def _leaf(
    context: Context,
    actor: Actor,
    action: str,
    about: Enrollment | LateMoney,
    facts: dict[str, Json],
) -> Leaf:
    """An entry that changes no enrollment; it stands in the history of the one that it is about."""
    if isinstance(about, LateMoney):
        subject = f"late_money:{about.id}"
        return make_leaf(context, actor=actor, action=action, subject=subject, facts=facts)
    return make_leaf(
        context,
        actor=actor,
        action=action,
        subject=f"enrollment:{about.id}",
        before=about.version,
        after=about.version,
        facts=enrollment_facts(about) | facts,
    )


# --- refunds -----------------------------------------------------------------------------------


def refund_changes(
    workspace: Workspace, transition: Transition, actor: str, context: Context
) -> tuple[Change, ...]:
    """What a reversal opens, and a reinstatement takes back while nothing was sent yet."""
    after = transition.after
    known = {r.attempt: r for r in workspace.refunds.values() if r.enrollment == after.id}
    if transition.refund_due:
        return _open_refunds(known, after, actor, context)
    if not transition.grants_access:
        return ()
    return tuple(
        Save(replace(refund, state=RefundState.NOT_DUE, by=actor, at=context.now))
        for refund in known.values()
        if refund.state is RefundState.DUE
    )


def _open_refunds(
    known: dict[UUID, Refund], after: Enrollment, actor: str, context: Context
) -> tuple[Change, ...]:
    changes: list[Change] = []
    for attempt in after.attempts_of_round():
        if attempt.status is not AttemptStatus.PAID:
            continue
        before = known.get(attempt.id)
        refund = Refund(
            attempt=attempt.id, enrollment=after.id, cents=attempt.amount_cents,
            state=RefundState.DUE, opened_at=context.now, by=actor, at=context.now,
        )  # fmt: skip
        if before is None:
            changes.append(Add(refund))
        elif before.state is RefundState.NOT_DUE:
            changes.append(Save(refund))
    return tuple(changes)


def decide_move_refund(
    workspace: Workspace, command: MoveRefundCommand, context: Context
) -> Verdict:
    refund = workspace.refunds.get(command.attempt)
    current = workspace.enrollments.get(command.enrollment)
    problem = _problem(workspace, command)
    if problem is None and (refund is None or current is None):
        problem = ("unknown_refund", "There is no such refund.")
    if problem is not None or refund is None or current is None:
        return refused(*(problem or _NOT_YOURS))
    if REFUND_STEPS.get(command.to) is not refund.state:
        return refused("wrong_state", f"This refund is {_SAID[refund.state]}.")
    moved = replace(refund, state=command.to, by=command.actor.code, at=context.now)
    facts: dict[str, Json] = {"attempt": str(refund.attempt), "cents": refund.cents}
    action = f"refund.{command.to.value}"
    entry = _leaf(context, command.actor, action, current, facts)
    return Decided(entry, (Save(moved),), accepted(refund.attempt))


_SAID = {
    RefundState.DUE: "due and was not sent yet",
    RefundState.SENT: "sent already",
    RefundState.DONE: "done already",
    RefundState.NOT_DUE: "not due any more",
}
