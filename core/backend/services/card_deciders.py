"""Card payments, decided: attempts, what the provider confirmed, what failed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.backend.services.applying import apply_event, transition_leaf, transition_of
from core.backend.services.payment_commands import (
    AskManualCommand,
    ConfirmCardCommand,
    FailCardCommand,
    StartCardCommand,
)
from core.backend.services.verdicts import accepted, refused
from core.backend.storage.command import (
    Add,
    Answer,
    Change,
    Context,
    Decided,
    Refused,
    Save,
    SaveEnrollment,
    Verdict,
)
from core.backend.storage.payment_records import CardLink, LateMoney
from core.backend.storage.workspace import Workspace
from core.domain.card_money import LinkState, late_reason
from core.domain.enrollment import AttemptStatus, Enrollment
from core.domain.events import AskManualApproval, CardConfirmed, CardFailed, StartCard
from core.domain.roles import GATEWAY, student
from core.domain.state_manager import Transition
from core.ledger.canonical import Json
from core.protocol.messages import AnswerKind

LATE_MONEY = "card.late_money"
# When the sweeper first asks about a new link; making one takes less.
FIRST_ASK = timedelta(minutes=1)
ALREADY_STARTED = "already_started"
_NOT_ENROLLED = ("not_enrolled", "Please enroll first.")


def decide_start_card(workspace: Workspace, command: StartCardCommand, context: Context) -> Verdict:
    """A new attempt; refused with the attempt that is open already, so that nobody pays twice."""
    current = workspace.place(command.student, command.course)
    if current is None:
        return refused(*_NOT_ENROLLED)
    running = _running(workspace, current, command.provider)
    if running is not None:
        message = "This payment is open already."
        return Refused(
            Answer(AnswerKind.REFUSED, ALREADY_STARTED, message, subject=running.attempt)
        )
    event = StartCard(actor=student(command.student), at=context.now, attempt=command.attempt)
    link = CardLink(
        attempt=command.attempt,
        enrollment=current.id,
        external_id=str(command.attempt),
        provider=command.provider,
        cents=current.amount_cents,
        created_at=context.now,
        next_ask_at=context.now + FIRST_ASK,
    )
    return apply_event(
        workspace, current.id, event, context,
        more={"attempt": str(command.attempt), "cents": current.amount_cents},
        changes=(Add(link),),
        answer=accepted(command.attempt),
    )  # fmt: skip


def _running(workspace: Workspace, current: Enrollment, provider: str) -> CardLink | None:
    """The link that can still be used: of an open attempt of this round, for what is owed now."""
    for attempt in reversed(current.attempts_of_round()):
        link = workspace.links.get(attempt.id)
        if (
            link is not None
            and attempt.status is AttemptStatus.OPEN
            and attempt.amount_cents == current.amount_cents
            and link.provider == provider
            and (link.state is LinkState.CREATING or link.url is not None)
        ):
            return link
    return None


def decide_ask_manual(workspace: Workspace, command: AskManualCommand, context: Context) -> Verdict:
    current = workspace.place(command.student, command.course)
    if current is None:
        return refused(*_NOT_ENROLLED)
    event = AskManualApproval(actor=student(command.student), at=context.now, claim=command.claim)
    return apply_event(workspace, current.id, event, context)


def decide_fail_card(workspace: Workspace, command: FailCardCommand, context: Context) -> Verdict:
    """Refused where the attempt is not open: a late failure never undoes a payment."""
    event = CardFailed(
        actor=GATEWAY, at=context.now, attempt=command.attempt, failure=command.failure.value
    )
    more: dict[str, Json] = {"attempt": str(command.attempt), "failure": command.failure.value}
    return apply_event(workspace, command.enrollment, event, context, more=more)


def decide_confirm_card(
    workspace: Workspace, command: ConfirmCardCommand, context: Context
) -> Verdict:
    """Approved where everything fits; otherwise late money. Either way the link is done with."""
    link = workspace.links.get(command.attempt)
    if link is None:
        return refused("unknown_attempt", "There is no such card payment.")
    if link.state is LinkState.PAID:
        return refused("already_paid", "This card payment was confirmed before.")
    event = CardConfirmed(
        actor=GATEWAY,
        at=context.now,
        # What is not this attempt's money fits no attempt; cents that nobody said fit no amount.
        attempt=command.attempt if command.ours else context.new_id(),
        amount_cents=-1 if command.cents is None else command.cents,
    )
    done = transition_of(workspace, link.enrollment, event)
    if isinstance(done, Refused):
        return done
    paid = replace(
        link, state=LinkState.PAID, link_id=command.link_id, word=command.word,
        asked_at=context.now, next_ask_at=None, final=True,
    )  # fmt: skip
    more: dict[str, Json] = {
        "attempt": str(command.attempt), "cents": command.cents, "provider": link.provider,
    }  # fmt: skip
    changes: tuple[Change, ...] = (SaveEnrollment(done.before, done.after), Save(paid))
    if done.action != LATE_MONEY:
        entry = transition_leaf(context, event, done, more)
        return Decided(entry, changes, accepted(command.attempt, "approved"))
    late = _late(workspace, command, context, link, done)
    entry = transition_leaf(context, event, done, more | {"late": late.reason.value})
    message = "The money came, but it fits nothing that is open: somebody has to look."
    return Decided(entry, (*changes, Add(late)), accepted(command.attempt, "late_money", message))


def _late(
    workspace: Workspace,
    command: ConfirmCardCommand,
    context: Context,
    link: CardLink,
    done: Transition,
) -> LateMoney:
    current = done.after
    rounds = {attempt.id: attempt.round for attempt in current.attempts}
    reason = late_reason(
        current,
        round_=rounds.get(link.attempt) if command.ours else None,
        expected_cents=link.cents,
        cents=command.cents,
    )
    return LateMoney(
        id=context.new_id(),
        provider=link.provider,
        link_id=command.link_id,
        attempt=link.attempt,
        enrollment=current.id,
        cents=command.cents,
        reason=reason,
        found_at=context.now,
        index=workspace.size,
    )
