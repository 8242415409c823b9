"""What may become of an item of the outbox. Pure: items in, items out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from core.client.errors import DecisionError
from core.client.outbox_items import (
    FINAL_STATES,
    WAITING_STATES,
    Draft,
    ItemKind,
    OutboxItem,
    OutboxState,
    SignedBytes,
    SignedWithdrawal,
)
from core.protocol.messages import ALREADY_DECIDED, AnswerKind, DecisionAnswer


def queued(draft: Draft, n: int, signed: SignedBytes) -> OutboxItem:
    """A decision that was just made."""
    at = draft.created_at.astimezone(UTC)
    return OutboxItem(
        id=draft.id,
        officer=draft.officer,
        device=draft.device,
        n=n,
        enrollment=draft.enrollment,
        verdict=draft.verdict,
        payload=signed.payload,
        signature=signed.signature,
        note=draft.note,
        note_lost=False,
        state=OutboxState.QUEUED,
        attempts=0,
        not_before=at,
        reason_code=None,
        reason_message=None,
        answer=None,
        created_at=at,
        reference=draft.reference,
        cents=draft.cents,
        shown=draft.shown,
    )


def check_discardable(item: OutboxItem) -> None:
    """Raises DecisionError where nothing waits that could be taken back."""
    if item.kind is ItemKind.WITHDRAWAL:
        raise DecisionError("A withdrawal cannot be discarded itself.")
    if item.state is OutboxState.SENDING:
        raise DecisionError("This decision is being sent right now. Try again in a moment.")
    if item.state in FINAL_STATES:
        raise DecisionError("This decision does not wait any more: it cannot be discarded.")


def discarded(decision: OutboxItem, withdrawal: SignedWithdrawal) -> tuple[OutboxItem, OutboxItem]:
    """The decision that goes no further, and the withdrawal that goes in its place."""
    at = withdrawal.created_at.astimezone(UTC)
    taking_back = replace(
        decision,
        id=withdrawal.id,
        kind=ItemKind.WITHDRAWAL,
        withdraws=decision.id,
        payload=withdrawal.signed.payload,
        signature=withdrawal.signed.signature,
        note=None,
        note_lost=False,
        state=OutboxState.QUEUED,
        attempts=0,
        not_before=at,
        reason_code=None,
        reason_message=None,
        created_at=at,
    )
    gone = replace(
        decision,
        state=OutboxState.WITHDRAWN,
        reason_code="discarded",
        reason_message="You discarded this decision.",
    )
    return gone, taking_back


def undiscarded(decision: OutboxItem) -> OutboxItem:
    """Its withdrawal was damaged and set aside: its officer has to say again what is to be."""
    return replace(
        decision,
        state=OutboxState.NEEDS_PERSON,
        reason_code="withdrawal_lost",
        reason_message="You discarded this decision, but the withdrawal was damaged on this "
        "computer. Please discard it again.",
    )


def answered(
    item: OutboxItem, answer: DecisionAnswer, state: OutboxState, at: datetime
) -> OutboxItem:
    """With its final answer."""
    return replace(
        item,
        state=state,
        reason_code=answer.code,
        reason_message=answer.message,
        answer=answer,
        settled_at=at.astimezone(UTC),
    )


def settled_by_withdrawal(decision: OutboxItem, withdrawal: OutboxItem) -> OutboxItem:
    """What the answer to its withdrawal says of a decision: gone, or carried out before."""
    answer = withdrawal.answer
    if answer is None or answer.code != ALREADY_DECIDED:
        return replace(decision, settled_at=withdrawal.settled_at)
    carried_out = answer.model_copy(update={"id": decision.id, "kind": AnswerKind.ACCEPTED})
    at = withdrawal.settled_at or decision.created_at
    return answered(decision, carried_out, OutboxState.ACCEPTED, at)


def postponed(item: OutboxItem, until: datetime, code: str, message: str) -> OutboxItem:
    """Back in the queue, due at `until`."""
    return replace(
        item,
        state=OutboxState.QUEUED,
        attempts=item.attempts + 1,
        not_before=until.astimezone(UTC),
        reason_code=code,
        reason_message=message,
    )


def given_to_person(item: OutboxItem, code: str, message: str) -> OutboxItem:
    """Unless it has its answer: it cannot go on by itself."""
    if item.state not in WAITING_STATES:
        return item
    return replace(item, state=OutboxState.NEEDS_PERSON, reason_code=code, reason_message=message)


def retried(item: OutboxItem, now: datetime) -> OutboxItem:
    """Due now, where it waits or needed a person."""
    if item.state not in {OutboxState.NEEDS_PERSON, OutboxState.QUEUED}:
        return item
    return replace(item, state=OutboxState.QUEUED, not_before=now.astimezone(UTC))


def dismissed(item: OutboxItem) -> OutboxItem:
    """Off its officer's list. Raises DecisionError before the end."""
    if not item.is_settled:
        raise DecisionError("This decision has no final answer yet.")
    return replace(item, dismissed=True)


def is_to_confirm(item: OutboxItem) -> bool:
    """Accepted, with a place in the ledger, and not yet held against it."""
    return (
        item.state is OutboxState.ACCEPTED
        and not item.confirmed
        and item.answer is not None
        and item.answer.index is not None
    )
