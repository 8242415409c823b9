"""The withdrawal of a decision that waited: its number is used up, so that no old copy of the
console's queue can revive it. Nothing else changes.

What was carried out cannot be withdrawn: that is a reversal, a decision of its own. A refused
withdrawal is an entry as well, and whoever asked for it reads why.
"""

from __future__ import annotations

from dataclasses import replace

from core.backend.services.commands import WithdrawCommand
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
    Save,
    Verdict,
)
from core.backend.storage.records import DeviceNumber
from core.backend.storage.workspace import Workspace
from core.ledger.canonical import Json
from core.ledger.leaf import Leaf, Signed
from core.protocol.messages import ALREADY_DECIDED
from core.protocol.signing import Withdrawal

WITHDRAWN_ACTION = "decision.withdrawn"
REFUSED_ACTION = "withdrawal.refused"


def decide_withdrawal(workspace: Workspace, command: WithdrawCommand, context: Context) -> Verdict:
    """Sign-in and device first, as for the decision itself; no role is asked for to take back."""
    waiting = not_yet(workspace, command)
    if waiting is not None:
        return waiting
    made = command.withdrawal
    changes = _use_up(workspace, made)
    # What was carried out is told first, also to whoever may do nothing any more.
    problem = _too_late(workspace, made, context) or barred(workspace, command)
    if problem is not None:
        entry = _leaf(workspace, command, context, REFUSED_ACTION, {"code": problem.code})
        return Refused(problem, entry, changes)
    entry = _leaf(workspace, command, context, WITHDRAWN_ACTION, {})
    answer = accepted(made.enrollment, "withdrawn", "Withdrawn.")
    return Decided(entry, changes, answer)


def _too_late(workspace: Workspace, made: Withdrawal, context: Context) -> Answer | None:
    used = workspace.numbers.get((made.device, made.n))
    if used is None or used.applied_index is None:
        return None
    if used.decision != made.decision:
        return final("number_reused", "This device used this number for another decision.")
    message = "This decision was carried out before it was withdrawn."
    current = workspace.enrollments.get(made.enrollment)
    if current is not None:
        message = f"{message} {decided_by(workspace, current, context.now)}"
    return replace(final(ALREADY_DECIDED, message), index=used.applied_index)


def _use_up(workspace: Workspace, made: Withdrawal) -> tuple[Change, ...]:
    """Also where the withdrawal is refused: its officer does not want the decision any more."""
    used = workspace.numbers.get((made.device, made.n))
    if used is None:
        return (Add(DeviceNumber(made.device, made.n, made.decision, withdrawn=True)),)
    if used.applied_index is not None or used.withdrawn:
        return ()
    return (Save(replace(used, decision=made.decision, withdrawn=True)),)


def _leaf(
    workspace: Workspace,
    command: WithdrawCommand,
    context: Context,
    action: str,
    more: dict[str, Json],
) -> Leaf:
    made = command.withdrawal
    current = workspace.enrollments.get(made.enrollment)
    version = current.version if current else None
    facts = enrollment_facts(current) if current else {}
    return Leaf(
        entry_id=context.new_id(),
        time=context.now,
        actor=f"user:{made.officer}",
        device=made.device,
        action=action,
        subject=f"enrollment:{made.enrollment}",
        before=version,
        after=version,
        facts=facts | {"decision": str(made.decision)} | more,
        signed=Signed(command.payload, command.signature),
    )
