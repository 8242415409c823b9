"""Ledger entries and endings in plain words, worded when shown: old ones always render."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from console.widgets.fields import Moment
from console.words import counted, method_words, provider_words, when_words, whole
from core.domain.card_money import LateReason, Settlement
from core.domain.decisions import ReasonCode
from core.domain.enrollment import EnrollmentStatus
from core.domain.money import format_rand
from core.domain.references import show_reference
from core.domain.roles import GATEWAY
from core.ledger.errors import LedgerError
from core.ledger.leaf import Leaf, decode
from core.protocol.messages import EnrollmentRow, TimelineEntry

Facts = Mapping[str, Any]

REASONS: Mapping[ReasonCode, str] = MappingProxyType(
    {
        ReasonCode.NO_PAYMENT_FOUND: "No payment found at the bank",
        ReasonCode.WRONG_AMOUNT: "The amount is wrong",
        ReasonCode.WRONG_REFERENCE: "The reference is wrong",
        ReasonCode.DUPLICATE_CLAIM: "Claimed twice",
        ReasonCode.PROOF_UNREADABLE: "The proof cannot be read",
        ReasonCode.PAYMENT_REVERSED: "The bank reversed the payment",
        ReasonCode.MISTAKE: "Decided by mistake",
        ReasonCode.OTHER: "Another reason",
    }
)
# What a rejection may say; the others belong to reversals.
REJECT_REASONS = (
    ReasonCode.NO_PAYMENT_FOUND,
    ReasonCode.WRONG_AMOUNT,
    ReasonCode.WRONG_REFERENCE,
    ReasonCode.DUPLICATE_CLAIM,
    ReasonCode.PROOF_UNREADABLE,
    ReasonCode.OTHER,
)


@dataclass(frozen=True, slots=True)
class _Kind:
    icon: str
    tone: str
    words: Callable[[Facts], str]


def _says(text: str) -> Callable[[Facts], str]:
    return lambda _facts: text


def _with_cents(text: str) -> Callable[[Facts], str]:
    def words(facts: Facts) -> str:
        cents = entry_cents(facts)
        return text.rstrip(":") if cents is None else f"{text} {format_rand(cents)}"

    return words


def _with_reason(text: str) -> Callable[[Facts], str]:
    def words(facts: Facts) -> str:
        reason = reason_words(facts.get("reason_code", facts.get("reason")))
        return f"{text}: {reason[0].lower()}{reason[1:]}" if reason else text

    return words


_REFUSALS: Mapping[str, str] = MappingProxyType(
    {
        "conflict_decided": "decided already",
        "conflict_changed": "changed meanwhile",
        "device_revoked": "device revoked",
        "not_allowed": "not allowed",
        "too_old": "waited too long",
        "number_reused": "number used twice",
        "withdrawn": "withdrawn before",
        "already_decided": "carried out before",
        "account_disabled": "account disabled",
    }
)


def refusal_words(code: object) -> str:
    """Why a decision was refused; a code that this console does not know stays as it is."""
    return _REFUSALS.get(str(code), str(code or "").replace("_", " "))


def _refused(text: str) -> Callable[[Facts], str]:
    def words(facts: Facts) -> str:
        why = refusal_words(facts.get("code"))
        return f"{text}: {why}" if why else text

    return words


_LATE_REASONS: Mapping[LateReason, str] = MappingProxyType(
    {
        LateReason.WRONG_AMOUNT: "another amount",
        LateReason.OTHER_TRANSACTION: "another payment",
        LateReason.UNKNOWN_TRANSACTION: "an unknown payment",
        LateReason.ALREADY_PAID: "paid before",
        LateReason.NOT_PENDING: "not open any more",
        LateReason.OLD_ROUND: "for an earlier enrollment",
    }
)
_SETTLEMENTS: Mapping[Settlement, str] = MappingProxyType(
    {
        Settlement.REFUNDED: "given back",
        Settlement.APPLIED: "recorded as a payment",
        Settlement.OTHER: "settled otherwise",
    }
)


def late_words(code: object) -> str:
    """Why money came late; a code that this console does not know stays as it is."""
    return next((words for known, words in _LATE_REASONS.items() if known == code), _plain(code))


def settlement_words(code: object) -> str:
    """What became of late money; the same for a code that is not known."""
    return next((words for known, words in _SETTLEMENTS.items() if known == code), _plain(code))


def failure_words(code: object) -> str:
    """Why a card payment failed, in a word or two."""
    return _plain(code)


def _plain(code: object) -> str:
    return str(code or "").replace("_", " ")


def _card_failed(facts: Facts) -> str:
    why = failure_words(facts.get("failure"))
    return f"The card payment failed: {why}" if why else "The card payment failed"


def _settled(facts: Facts) -> str:
    how = settlement_words(facts.get("how"))
    return f"Late card money settled: {how}" if how else "Late card money settled"


def _replayed(facts: Facts) -> str:
    count = facts.get("count")
    return (
        f"{counted(count, 'callback', 'callbacks')} of the card provider replayed"
        if (type(count) is int)
        else "Callbacks of the card provider replayed"
    )


_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "enrollment.enrolled": _Kind("graduation-cap", "text_muted", _says("Enrolled")),
        "enrollment.enrolled_again": _Kind("undo-2", "text_muted", _says("Enrolled again")),
        "card.started": _Kind("credit-card", "text_muted", _says("Started a card payment")),
        "card.failed": _Kind("credit-card", "danger", _card_failed),
        "card.late_money": _Kind("triangle-alert", "warn", _with_cents("Late card money came in:")),
        "late_money.settled": _Kind("banknote", "ok", _settled),
        "refund.sent": _Kind("send", "accent", _with_cents("Refund sent:")),
        "refund.done": _Kind("circle-check", "ok", _with_cents("Refund done:")),
        "webhook.replayed": _Kind("refresh-cw", "warn", _replayed),
        "claim.submitted": _Kind("landmark", "accent", _with_cents("Says the EFT is paid:")),
        "claim.recorded": _Kind("banknote", "accent", _with_cents("Payment recorded:")),
        "claim.manual_asked": _Kind("user", "accent", _says("Asked for approval by hand")),
        "enrollment.facts_changed": _Kind("info", "warn", _says("The facts changed")),
        "enrollment.first_signature": _Kind("user-check", "accent", _says("First signature")),
        "enrollment.approved": _Kind("circle-check", "ok", _says("Approved, access granted")),
        "enrollment.rejected": _Kind("circle-x", "danger", _with_reason("Rejected")),
        "enrollment.expired": _Kind(
            "hourglass", "text_muted", _says("Expired: nobody paid in time")
        ),
        "enrollment.access_ended": _Kind("lock", "text_muted", _says("The access time is over")),
        "enrollment.approval_reversed": _Kind(
            "undo-2", "danger", _with_reason("Approval reversed, access withdrawn")
        ),
        "enrollment.rejection_reversed": _Kind(
            "undo-2", "warn", _with_reason("Rejection reversed, the claim waits again")
        ),
        "enrollment.reinstated": _Kind("circle-check", "ok", _says("Reinstated, access granted")),
        "enrollment.completed": _Kind("graduation-cap", "ok", _says("Course completed")),
        "decision.refused": _Kind("circle-alert", "warn", _refused("Decision refused")),
        "decision.withdrawn": _Kind(
            "undo-2", "text_muted", _says("Decision withdrawn, not carried out")
        ),
        "withdrawal.refused": _Kind("undo-2", "warn", _refused("Withdrawal refused")),
        "student.registered": _Kind("user", "text_muted", _says("A student signed up")),
        "student.password_changed": _Kind(
            "key-round", "text_muted", _says("A student changed the password")
        ),
        "user.added": _Kind("users", "accent", _says("User added")),
        "user.roles_changed": _Kind("users", "warn", _says("User's roles changed")),
        "user.disabled": _Kind("lock", "warn", _says("User disabled")),
        "user.enabled": _Kind("users", "ok", _says("User enabled again")),
        "user.password_changed": _Kind("key-round", "text_muted", _says("Password changed")),
        "user.sessions_ended": _Kind("log-out", "text_muted", _says("Sessions ended")),
        "device.requested": _Kind("fingerprint", "text_muted", _says("A console asks to sign")),
        "device.enrolled": _Kind("fingerprint", "ok", _says("Console enrolled: it may sign")),
        "device.refused": _Kind("fingerprint", "warn", _says("A console's request was refused")),
        "device.revoked": _Kind(
            "fingerprint", "danger", _says("Console revoked: it signs no more")
        ),
        "course.added": _Kind("book-open", "accent", _with_cents("Course added:")),
        "course.changed": _Kind("book-open", "warn", _with_cents("Course changed:")),
        "course.retired": _Kind("book-open", "text_muted", _says("Course retired")),
        "course.reopened": _Kind("book-open", "ok", _says("Course opened again")),
        "workspace.set": _Kind("settings", "warn", _says("Workspace settings changed")),
    }
)
_ENDINGS: Mapping[EnrollmentStatus, tuple[str, str]] = MappingProxyType(
    {
        EnrollmentStatus.APPROVED: ("ok", "Approved"),
        EnrollmentStatus.COMPLETED: ("ok", "Completed"),
        EnrollmentStatus.REJECTED: ("info", "Rejected"),
        EnrollmentStatus.EXPIRED: ("info", "Expired"),
        EnrollmentStatus.REVOKED: ("warn", "Revoked"),
        EnrollmentStatus.PENDING: ("info", "Not waiting any more"),
    }
)


def entry_cents(facts: Facts) -> int | None:
    """The amount that an entry is about: what came, what is claimed, what is owed, or a price."""
    keys = ("cents", "amount_received", "claim_cents", "amount_cents", "price_cents")
    return next((cents for key in keys if type(cents := facts.get(key)) is int), None)


def entry_look(action: str) -> tuple[str, str]:
    """The drawing of an entry, and the colour of the drawing."""
    kind = _KINDS.get(action)
    return ("circle-dot", "text_muted") if kind is None else (kind.icon, kind.tone)


def reason_words(code: object) -> str:
    """A reason code in words; one that this console does not know stays as it is."""
    try:
        return REASONS[ReasonCode(str(code))] if code else ""
    except ValueError:
        return str(code)


def entry_words(leaf: Leaf) -> str:
    """One sentence for an entry, whatever its action."""
    if is_card_approval(leaf):
        return f"{_card_approval(leaf)}, access granted"
    kind = _KINDS.get(leaf.action)
    if kind is None:
        return leaf.action.replace(".", ": ").replace("_", " ").capitalize()
    return kind.words(leaf.facts)


def is_card_approval(leaf: Leaf) -> bool:
    """Whether the system approved, because the provider confirmed a card payment."""
    return leaf.action == "enrollment.approved" and leaf.actor == GATEWAY.code


def _card_approval(leaf: Leaf) -> str:
    provider = leaf.facts.get("provider")
    by = f" ({provider_words(provider)})" if isinstance(provider, str) and provider else ""
    return f"Approved by the card payment{by}"


def entry_moment(entry: TimelineEntry, now: datetime) -> Moment:
    """An entry of an enrollment's history for the timeline."""
    try:
        leaf = decode(entry.leaf.encode())
    except LedgerError:
        number = whole(entry.index)
        return Moment("circle-alert", "danger", "This entry cannot be read", f"entry {number}")
    small = f"{entry.actor_name} · {when_words(leaf.time, now)} · entry {whole(entry.index)}"
    icon, tone = entry_look(leaf.action)
    return Moment(icon, tone, entry_words(leaf), small)


def changes_since(timeline: Iterable[TimelineEntry], version: int) -> list[TimelineEntry]:
    """What made an enrollment another one than it was at `version`, the newest first."""
    return [
        entry
        for entry in sorted(timeline, key=lambda entry: -entry.index)
        if _is_change_after(entry, version)
    ]


def _is_change_after(entry: TimelineEntry, version: int) -> bool:
    try:
        leaf = decode(entry.leaf.encode())
    except LedgerError:
        return False
    # What was refused is an entry too, and changed nothing.
    return leaf.after is not None and leaf.after > version and leaf.after != leaf.before


def ending_words(row: EnrollmentRow, now: datetime) -> tuple[str, str]:
    """Why a row left the pending list: the kind of notice, and the sentence."""
    kind, verb = _ENDINGS[row.status]
    by = "the card payment" if row.status_by == GATEWAY.code else row.status_by_name
    return kind, f"{verb} by {by}, {when_words(row.status_at, now)}"


NOTHING_SEEN_CHANGED = "Nothing you see changed; something happened to this payment meanwhile."


def difference(shown: EnrollmentRow, now: EnrollmentRow) -> tuple[tuple[str, str, str], ...]:
    """What changed between the row decided on and the row as it is: (name, before, now)."""
    return tuple(fact for fact in side_by_side(shown, now) if fact[1] != fact[2])


def side_by_side(shown: EnrollmentRow, now: EnrollmentRow) -> tuple[tuple[str, str, str], ...]:
    """All that a decision was bound to: (name, as it was shown, as it is)."""
    facts = zip(_facts(shown), _facts(now), strict=True)
    return tuple((name, before, after) for (name, before), (_, after) in facts)


def _facts(row: EnrollmentRow) -> tuple[tuple[str, str], ...]:
    claim = row.claim
    signed = claim.first_signature if claim else None
    return (
        ("Amount", format_rand(claim.amount_cents if claim else row.amount_cents)),
        ("Owed", format_rand(row.amount_cents)),
        ("Method", method_words(row.method)),
        ("Reference", show_reference(row.reference)),
        ("Student", row.student.name),
        ("Email", row.student.email),
        ("Course", row.course_title),
        ("Proof", claim.proof[:12] if claim and claim.proof else "none"),
        ("First signature", signed.officer_name if signed else "none"),
        ("Status", row.status.value.capitalize()),
    )
