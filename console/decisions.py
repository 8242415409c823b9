"""`DecisionBook`: the officer's own decisions of this run, as overlays and as news. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from console.models.overlay import Overlay, Progress
from console.words import whole
from core.client.outbox import ItemKind, OutboxItem, OutboxState
from core.domain.decisions import Verdict
from core.domain.money import format_rand
from core.domain.references import show_reference
from core.protocol.messages import ALREADY_DECIDED, AnswerKind, EnrollmentRow

FIRST_SIGNATURE = "first_signature"
# Reasons for waiting that do not pass by themselves.
_HELD_CODES = frozenset({"sign_in_needed", "device_pending"})
_STATES = {
    OutboxState.ACCEPTED: Progress.ACCEPTED,
    OutboxState.CONFLICT: Progress.CONFLICT,
    OutboxState.REFUSED: Progress.REFUSED,
    OutboxState.NEEDS_PERSON: Progress.HELD,
}
_OPEN = frozenset({OutboxState.QUEUED, OutboxState.SENDING, OutboxState.NEEDS_PERSON})

_GRAVITY = ("info", "ok", "warn", "danger")


@dataclass(frozen=True, slots=True)
class News:
    """What to tell in passing: `kind` is ok, info, warn or danger."""

    kind: str
    text: str


class DecisionBook:
    """Keeps the newest decision per enrollment, and what still has to reach the backend:
    decisions, and the withdrawals of some."""

    def __init__(self) -> None:
        self._newest: dict[UUID, OutboxItem] = {}
        self._open: set[UUID] = set()
        self._overlays: dict[UUID, Overlay] = {}
        self._changed: set[UUID] = set()

    def note(self, item: OutboxItem) -> None:
        """Take over the state of an item; one that is older than the newest only counts."""
        if item.state in _OPEN:
            self._open.add(item.id)
        else:
            self._open.discard(item.id)
        if item.kind is ItemKind.WITHDRAWAL:
            return
        held = self._newest.get(item.enrollment)
        if held is None or held.id == item.id or _is_later(item, held):
            self._newest[item.enrollment] = item
        if _is_off_the_list(item) and self._newest[item.enrollment].id == item.id:
            del self._newest[item.enrollment]
        self._lay(item.enrollment)

    def settle(self, rows: Iterable[EnrollmentRow]) -> None:
        """Rows came from the backend: what they already tell needs no overlay any more."""
        for row in rows:
            item = self._newest.get(row.enrollment)
            if item is not None and item.state not in _OPEN and _is_told_by(row, item):
                del self._newest[row.enrollment]
                self._lay(row.enrollment)

    @property
    def waiting(self) -> int:
        """How many decisions and withdrawals have not reached the backend."""
        return len(self._open)

    def overlays(self) -> Mapping[UUID, Overlay]:
        """What lies over the server's rows, by enrollment; a view that follows."""
        return MappingProxyType(self._overlays)

    def take_changed(self) -> set[UUID]:
        """The enrollments whose overlay is another one since the last time."""
        changed, self._changed = self._changed, set()
        return changed

    def _lay(self, enrollment: UUID) -> None:
        """One alone: with a long queue, all of them for each answer would hold up the window."""
        item, before = self._newest.get(enrollment), self._overlays.pop(enrollment, None)
        if item is not None and not _is_first_signature(item):
            laid = Overlay(item.verdict, _progress(item), _message(item), item.shown)
            self._overlays[enrollment] = laid
        if self._overlays.get(enrollment) != before:
            self._changed.add(enrollment)


def news_of(items: Iterable[OutboxItem]) -> News | None:
    """The same of several that changed together: the gravest, and how many more are like it."""
    told = [one for item in items if (one := news(item)) is not None]
    if not told:
        return None
    worst = max(reversed(told), key=lambda one: _GRAVITY.index(one.kind))
    more = sum(one.kind == worst.kind for one in told) - 1
    return News(worst.kind, f"{worst.text} (and {whole(more)} more)") if more else worst


def news(item: OutboxItem) -> News | None:
    """What the officer should hear of a change, or nothing."""
    if item.dismissed:
        return None
    what = f"{format_rand(item.cents)} — {show_reference(item.reference)}"
    if item.kind is ItemKind.WITHDRAWAL:
        return _withdrawal_news(item, what)
    return _ending_news(item, what) or _waiting_news(item, what)


def _ending_news(item: OutboxItem, what: str) -> News | None:
    if item.state is OutboxState.ACCEPTED:
        if _is_first_signature(item):
            return News("ok", f"Signed {what}. A second officer must sign.")
        verb = "Approved" if item.verdict is Verdict.APPROVE else "Rejected"
        return News("ok", f"{verb} {what}")
    if item.state is OutboxState.CONFLICT:
        return News("warn", f"{show_reference(item.reference)}: {_message(item)}")
    if item.state in {OutboxState.REFUSED, OutboxState.NEEDS_PERSON}:
        return News("danger", f"{show_reference(item.reference)}: {_message(item)}")
    return None


def _waiting_news(item: OutboxItem, what: str) -> News | None:
    if item.state is OutboxState.WITHDRAWN and item.settled_at is None:
        return News("info", f"Discarded: {what}. It is not sent; the ledger will say so.")
    if item.state is OutboxState.QUEUED and item.attempts == 1:
        return News("warn", f"Kept, not sent yet: {what}. {_message(item)}".strip())
    return None


def _withdrawal_news(item: OutboxItem, what: str) -> News | None:
    if item.state is OutboxState.ACCEPTED:
        return News("ok", f"Withdrawn, and on the ledger: {what}")
    if item.state in {OutboxState.REFUSED, OutboxState.NEEDS_PERSON}:
        too_late = item.reason_code == ALREADY_DECIDED
        how = "Not withdrawn" if too_late else "The withdrawal did not get through"
        return News("warn", f"{how}: {what}. {_message(item)}".strip())
    return None


def _is_later(item: OutboxItem, other: OutboxItem) -> bool:
    """Whether it was made after the other: numbers are a key's own, a new key begins anew."""
    if item.device == other.device:
        return item.n > other.n
    return item.created_at > other.created_at


def _is_off_the_list(item: OutboxItem) -> bool:
    """Discarded, or its officer has seen how it ended: the server's row is all there is to say."""
    seen = item.dismissed and item.state is not OutboxState.ACCEPTED
    return seen or item.state is OutboxState.WITHDRAWN


def _is_told_by(row: EnrollmentRow, item: OutboxItem) -> bool:
    """Whether the row is no older than what the answer said."""
    if not row.waiting:
        return True
    answered = item.answer.row if item.answer is not None else None
    return item.state is OutboxState.ACCEPTED and (
        answered is None or row.version >= answered.version
    )


def _is_first_signature(item: OutboxItem) -> bool:
    accepted = item.state is OutboxState.ACCEPTED
    return accepted and item.answer is not None and item.answer.code == FIRST_SIGNATURE


def _progress(item: OutboxItem) -> Progress:
    known = _STATES.get(item.state)
    if known is not None:
        return known
    if item.state is OutboxState.QUEUED and item.reason_code:
        return Progress.HELD if item.reason_code in _HELD_CODES else Progress.WAITING
    return Progress.SENDING


def _message(item: OutboxItem) -> str:
    if item.answer is not None:
        if item.answer.kind is AnswerKind.CONFLICT_CHANGED and not item.answer.message:
            return "Something changed while you decided."
        return item.answer.message
    return item.reason_message or ""
