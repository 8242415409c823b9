"""Ledger entries and endings in plain words, worded when shown: old ones always render."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from console.widgets.fields import Moment
from console.words import when_words, whole
from core.domain.decisions import ReasonCode
from core.domain.enrollment import EnrollmentStatus
from core.domain.money import format_rand
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
    }
)


def refusal_words(code: object) -> str:
    """Why a decision was refused; a code that this console does not know stays as it is."""
    return _REFUSALS.get(str(code), str(code or "").replace("_", " "))


def _refused(facts: Facts) -> str:
    words = refusal_words(facts.get("code"))
    return f"Decision refused: {words}" if words else "Decision refused"


_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "enrollment.enrolled": _Kind("graduation-cap", "text_muted", _says("Enrolled")),
        "enrollment.enrolled_again": _Kind("undo-2", "text_muted", _says("Enrolled again")),
        "card.started": _Kind("credit-card", "text_muted", _says("Started a card payment")),
        "card.failed": _Kind("credit-card", "danger", _says("The card payment failed")),
        "card.late_money": _Kind("triangle-alert", "warn", _with_cents("Late card money came in:")),
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
        "decision.refused": _Kind("circle-alert", "warn", _refused),
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
    kind = _KINDS.get(leaf.action)
    if kind is None:
        return leaf.action.replace(".", ": ").replace("_", " ").capitalize()
    return kind.words(leaf.facts)


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


def ending_words(row: EnrollmentRow, now: datetime) -> tuple[str, str]:
    """Why a row left the pending list: the kind of notice, and the sentence."""
    kind, verb = _ENDINGS[row.status]
    return kind, f"{verb} by {row.status_by_name}, {when_words(row.status_at, now)}"


def difference(shown: EnrollmentRow, now: EnrollmentRow) -> tuple[tuple[str, str, str], ...]:
    """What changed between the row decided on and the row as it is: (name, before, now)."""
    facts = zip(_facts(shown), _facts(now), strict=True)
    return tuple((name, before, after) for (name, before), (_, after) in facts if before != after)


def _facts(row: EnrollmentRow) -> tuple[tuple[str, str], ...]:
    claim = row.claim
    signed = claim.first_signature if claim else None
    return (
        ("Amount", format_rand(claim.amount_cents if claim else row.amount_cents)),
        ("Owed", format_rand(row.amount_cents)),
        ("Method", row.method.value.upper() if row.method else "not chosen"),
        ("Student", row.student.name),
        ("Course", row.course_title),
        ("Proof", claim.proof[:12] if claim and claim.proof else "none"),
        ("First signature", signed.officer_name if signed else "none"),
        ("Status", row.status.value),
    )
