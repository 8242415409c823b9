"""What became of a decision, in plain words: its state, what happened, what can be done. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType
from uuid import UUID

from console.views.wording import reason_words
from console.words import when_words, whole
from core.client.outbox import ItemKind, OutboxItem, OutboxState
from core.domain.decisions import Verdict
from core.protocol.messages import ALREADY_DECIDED, AnswerKind
from core.protocol.signing import PayloadError, read_decision

_WAITING = frozenset({OutboxState.QUEUED, OutboxState.SENDING})
_FINAL_AGAINST = frozenset({OutboxState.CONFLICT, OutboxState.REFUSED})
# Reasons for waiting that do not pass by themselves, and what makes them pass.
_HELD: Mapping[str, str] = MappingProxyType(
    {
        "sign_in_needed": "It goes out by itself once you have signed in again.",
        "device_pending": "It goes out by itself once an administrator has enrolled this console."
        " Was that refused, ask again: the banner has a button for it.",
    }
)
_EARLIER_KEY_PENDING = (
    "It was signed with an earlier key of this console that nobody has enrolled: it goes out once"
    " an administrator enrolls that key. It cannot be discarded, because that key is gone."
)
_EARLIER_KEY = (
    "It was signed with an earlier key of this console, which is gone: it cannot be discarded."
    " Should it not be carried out, ask an administrator to revoke that key: then it ends refused."
)
# Refusals after which the same payment may be decided once more.
_ANEW = frozenset({"too_old", "number_reused", "ahead", "device_revoked"})
# A withdrawal that is refused so has used up the decision's number all the same.
_SHUT_OUT = frozenset({"account_disabled", "device_revoked"})
_FIRST_SIGNATURE = "first_signature"
_SOON = timedelta(minutes=1)
_VERDICTS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.APPROVE: "Approve",
        Verdict.REJECT: "Reject",
        Verdict.REVERSE_APPROVAL: "Reverse approval",
        Verdict.REVERSE_REJECTION: "Reverse rejection",
        Verdict.REINSTATE: "Reinstate",
    }
)


class Group(Enum):
    """How the list is divided; the value is what a person reads."""

    NEEDS_YOU = "Needs you"
    WAITING = "Waiting"
    DONE = "Done"


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One decision, with the withdrawal that was made of it, if any.

    `decision` is a withdrawal itself where the decision is not held on this computer any more.
    `earlier_key`: the key that signed is not this console's any more, and signs no withdrawal.
    """

    decision: OutboxItem
    withdrawal: OutboxItem | None = None
    earlier_key: bool = False

    @property
    def key(self) -> UUID:
        return self.decision.id

    @property
    def lead(self) -> OutboxItem:
        """The one of the two whose state tells how things stand."""
        withdrawal = self.withdrawal
        if withdrawal is None:
            return self.decision
        too_late = self.decision.state is OutboxState.ACCEPTED
        return self.decision if too_late and withdrawal.dismissed else withdrawal

    @property
    def is_withdrawal(self) -> bool:
        return self.lead.kind is ItemKind.WITHDRAWAL

    @property
    def group(self) -> Group:
        lead = self.lead
        if lead.state in _WAITING:
            return Group.WAITING
        if lead.state is OutboxState.NEEDS_PERSON:
            return Group.NEEDS_YOU
        if lead.state in _FINAL_AGAINST and not lead.dismissed:
            return Group.NEEDS_YOU
        return Group.DONE

    @property
    def done_at(self) -> datetime:
        """When its final answer came (UTC); until then when it was decided."""
        return self.lead.settled_at or self.decision.created_at

    @property
    def is_held(self) -> bool:
        """Whether it waits for a person, and not for the network."""
        return self.lead.state is OutboxState.QUEUED and self.lead.reason_code in _HELD


@dataclass(frozen=True, slots=True)
class RowState:
    """Always a word and a drawing, never a colour alone."""

    words: str
    icon: str
    tone: str


@dataclass(frozen=True, slots=True)
class Ways:
    """What a person can do about it. `again` are the words of the button, or nothing."""

    retry: bool = False
    discard: bool = False
    dismiss: bool = False
    again: str = ""


_STATES: Mapping[OutboxState, RowState] = MappingProxyType(
    {
        OutboxState.QUEUED: RowState("To send", "send", "accent"),
        OutboxState.SENDING: RowState("Sending", "send", "accent"),
        OutboxState.ACCEPTED: RowState("Accepted", "circle-check", "ok"),
        OutboxState.CONFLICT: RowState("Conflict", "triangle-alert", "warn"),
        OutboxState.REFUSED: RowState("Refused", "circle-x", "danger"),
        OutboxState.NEEDS_PERSON: RowState("Stuck", "circle-alert", "danger"),
        OutboxState.WITHDRAWN: RowState("Withdrawn", "undo-2", "text_muted"),
    }
)
_WITHDRAWAL_STATES: Mapping[OutboxState, RowState] = MappingProxyType(
    {
        OutboxState.QUEUED: RowState("Withdrawing", "undo-2", "accent"),
        OutboxState.SENDING: RowState("Withdrawing", "undo-2", "accent"),
        OutboxState.ACCEPTED: RowState("Withdrawn", "undo-2", "text_muted"),
        OutboxState.CONFLICT: RowState("Refused", "circle-x", "danger"),
        OutboxState.REFUSED: RowState("Refused", "circle-x", "danger"),
        OutboxState.NEEDS_PERSON: RowState("Stuck", "circle-alert", "danger"),
        OutboxState.WITHDRAWN: RowState("Withdrawn", "undo-2", "text_muted"),
    }
)


_TOO_LATE = RowState("Not withdrawn", "triangle-alert", "warn")


def state_of(row: OutboxRow) -> RowState:
    """What the first column says."""
    lead = row.lead
    if row.is_withdrawal:
        return _TOO_LATE if _is_too_late(lead) else _WITHDRAWAL_STATES[lead.state]
    if row.is_held:
        return RowState("Held", "lock", "warn")
    if lead.state is OutboxState.QUEUED and lead.reason_code:
        return RowState("Waiting", "hourglass", "warn")
    if lead.state is OutboxState.ACCEPTED and _is_first_signature(lead):
        return RowState("Signed first", "user-check", "ok")
    return _STATES[lead.state]


def ways_of(row: OutboxRow) -> Ways:
    """What can be done about a row as it stands."""
    lead = row.lead
    if lead.state is OutboxState.QUEUED or lead.state is OutboxState.NEEDS_PERSON:
        return Ways(retry=True, discard=not row.is_withdrawal and not row.earlier_key)
    if row.group is Group.NEEDS_YOU:
        return Ways(dismiss=True, again=_again(row))
    return Ways()


def verdict_words(item: OutboxItem) -> str:
    return _VERDICTS[item.verdict]


def happened(row: OutboxRow) -> str:
    """In one line: why it waits, or what the answer was."""
    lead = row.lead
    if lead.state is OutboxState.SENDING:
        return "On its way to the backend"
    if lead.state is OutboxState.ACCEPTED:
        return _accepted(lead)
    if lead.state is OutboxState.WITHDRAWN:
        return "Withdrawn on this computer"
    if lead.state is OutboxState.QUEUED and not lead.reason_code:
        return "You discarded it" if row.is_withdrawal else "Goes out by itself"
    return _message(lead)


def telling(row: OutboxRow) -> tuple[str, str]:
    """For the details: the kind of notice (info, ok, warn, danger) and what happened."""
    lead = row.lead
    kind = {"warn": "warn", "danger": "danger", "ok": "ok"}.get(state_of(row).tone, "info")
    if row.group is Group.DONE and kind != "ok":
        kind = "info"
    if lead.state is OutboxState.ACCEPTED and not row.is_withdrawal:
        return kind, "The backend carried it out." if not _is_first_signature(lead) else (
            "The backend took it as the first of two signatures."
        )
    return kind, f"{happened(row).rstrip('.')}."


def next_step(row: OutboxRow, now: datetime) -> str:
    """For the details: what to do about it, or that there is nothing to do."""
    lead = row.lead
    if row.group is Group.WAITING:
        return _while_waiting(row, now)
    if row.group is Group.DONE:
        return _when_done(row)
    if lead.state is OutboxState.NEEDS_PERSON:
        return _when_stuck(row)
    if row.is_withdrawal:
        return _withdrawal_refused(lead)
    if lead.answer is not None and lead.answer.kind is AnswerKind.CONFLICT_DECIDED:
        return "Yours was not carried out. There is nothing left to do: dismiss it once read."
    if ways_of(row).again:
        return "Yours was not carried out. Look at the payment as it is now, then decide again."
    return "It was not carried out and will not be. Dismiss it once read."


def _withdrawal_refused(item: OutboxItem) -> str:
    if _is_too_late(item):
        return "If the decision was wrong, a supervisor can reverse it. Dismiss this once read."
    if item.answer is not None and item.answer.code in _SHUT_OUT:
        return "The decision was not carried out and never will be. Dismiss this once read."
    return "The decision does not go out from this computer any more. Dismiss this once read."


def tried_words(item: OutboxItem, now: datetime) -> str:
    """How often it was tried without an answer, and when it is tried next; or nothing."""
    if item.state is not OutboxState.QUEUED or not item.attempts:
        return ""
    times = "once" if item.attempts == 1 else f"{whole(item.attempts)} times"
    return f"{times}; {_next_try(item, now)}"


def reason_of(item: OutboxItem) -> str:
    """The reason that was signed, in words; nothing where there is none to be read."""
    if item.kind is not ItemKind.DECISION:
        return ""
    try:
        return reason_words(read_decision(item.payload).reason_code)
    except PayloadError:
        return ""


def _again(row: OutboxRow) -> str:
    answer = row.lead.answer
    if row.is_withdrawal or answer is None:
        return ""
    if answer.row is not None and not answer.row.waiting:
        return ""
    if answer.kind is AnswerKind.CONFLICT_CHANGED:
        return "Decide again…"
    return "Look again" if answer.code in _ANEW else ""


def _when_stuck(row: OutboxRow) -> str:
    if row.is_withdrawal:
        return "Try it again. Until it went out, the decision stays withdrawn here only."
    if row.earlier_key:
        return f"It does not go on by itself: try it again. {_EARLIER_KEY}"
    return "It does not go on by itself: try it again, or discard it and decide anew."


def _while_waiting(row: OutboxRow, now: datetime) -> str:
    lead = row.lead
    if lead.state is OutboxState.SENDING:
        return (
            "The answer is on its way. Should the connection break, it is sent again, and carried"
            " out only once."
        )
    on = _going_on(row, now)
    if row.is_withdrawal or not row.earlier_key:
        return on
    pending = lead.reason_code == "device_pending"
    return _EARLIER_KEY_PENDING if pending else f"{on} {_EARLIER_KEY}"


def _going_on(row: OutboxRow, now: datetime) -> str:
    """What makes it go out."""
    lead = row.lead
    held = _HELD.get(lead.reason_code or "")
    if held is not None:
        return held
    if row.is_withdrawal:
        return "The decision does not go out any more. The withdrawal goes to the ledger by itself."
    if lead.reason_code:
        return f"There is nothing to do: it goes out by itself, {_next_try(lead, now)}."
    return "There is nothing to do: it goes out as soon as the backend can be reached."


def _when_done(row: OutboxRow) -> str:
    lead = row.lead
    if row.is_withdrawal and lead.state is OutboxState.ACCEPTED:
        return "It can never be carried out, not even from an old copy of this queue."
    if lead.state is OutboxState.ACCEPTED:
        if _is_first_signature(lead):
            return "Another officer gives the second one, because of the amount."
        return "There is nothing left to do."
    if lead.state is OutboxState.WITHDRAWN:
        return "You discarded it: it does not go out."
    return "You have read and dismissed it."


def _accepted(item: OutboxItem) -> str:
    index = item.answer.index if item.answer is not None else None
    if item.kind is ItemKind.WITHDRAWAL:
        words = "The withdrawal is on the ledger"
    else:
        words = "First of two signatures" if _is_first_signature(item) else "On the ledger"
    return words if index is None else f"{words}: entry {whole(index)}"


def _is_too_late(withdrawal: OutboxItem) -> bool:
    """Whether the decision had been carried out when the withdrawal came."""
    return withdrawal.answer is not None and withdrawal.answer.code == ALREADY_DECIDED


def _is_first_signature(item: OutboxItem) -> bool:
    return item.answer is not None and item.answer.code == _FIRST_SIGNATURE


def _message(item: OutboxItem) -> str:
    """The backend's own words, or why it could not be asked."""
    answered = item.answer.message if item.answer is not None else ""
    return answered or item.reason_message or "No reason was given"


def _next_try(item: OutboxItem, now: datetime) -> str:
    wait = item.not_before - now
    if wait <= _SOON:
        return "next try within a minute"
    return f"next try at {when_words(item.not_before, now)}"
