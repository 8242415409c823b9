"""An entry of the ledger in plain words: its line, and each of its facts by a name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from console.views.wording import (
    entry_cents,
    entry_look,
    entry_words,
    failure_words,
    is_card_approval,
    late_words,
    reason_words,
    refusal_words,
    settlement_words,
)
from console.widgets.fields import Field
from console.words import counted, provider_words
from core.domain.money import format_rand
from core.domain.references import show_reference
from core.ledger.canonical import Json
from core.ledger.errors import LedgerError
from core.ledger.keys import PUBLIC_BYTES, fingerprint
from core.ledger.leaf import Leaf, decode
from core.ledger.text import read_base64


@dataclass(frozen=True, slots=True)
class EntryWords:
    """`leaf` is None for an entry that cannot be read; the other words then say so. `short` is
    for a line that has the amount elsewhere."""

    leaf: Leaf | None
    text: str
    icon: str
    tone: str
    short: str
    when: str
    exact_time: str
    subject: str
    amount: str


_ZONE_LETTERS = 5  # Windows spells them out

# What one can filter by, in groups, with the codes that leaves have.
ACTIONS: tuple[tuple[tuple[str, str], ...], ...] = (
    (
        ("enrollment.approved", "Approved"),
        ("enrollment.first_signature", "First signature"),
        ("enrollment.rejected", "Rejected"),
        ("enrollment.approval_reversed", "Approval reversed"),
        ("enrollment.rejection_reversed", "Rejection reversed"),
        ("enrollment.reinstated", "Reinstated"),
        ("decision.refused", "Decision refused"),
        ("decision.withdrawn", "Decision withdrawn"),
        ("withdrawal.refused", "Withdrawal refused"),
    ),
    (
        ("enrollment.enrolled", "Enrolled"),
        ("claim.submitted", "EFT claimed"),
        ("claim.recorded", "Payment recorded"),
        ("card.started", "Card payment started"),
        ("card.failed", "Card payment failed"),
        ("card.late_money", "Late card money"),
        ("late_money.settled", "Late money settled"),
        ("refund.sent", "Refund sent"),
        ("refund.done", "Refund done"),
        ("claim.manual_asked", "Approval by hand asked"),
        ("webhook.replayed", "Callbacks replayed"),
        ("enrollment.expired", "Expired"),
    ),
    (
        ("student.registered", "Student signed up"),
        ("user.added", "User added"),
        ("user.roles_changed", "User's roles changed"),
        ("user.disabled", "User disabled"),
        ("device.enrolled", "Console enrolled"),
        ("device.revoked", "Console revoked"),
        ("course.added", "Course added"),
        ("course.changed", "Course changed"),
        ("workspace.set", "Workspace settings changed"),
    ),
)


_SHORT = {
    code: words
    for group in ACTIONS
    for code, words in group
    if code.startswith(("claim.", "course.", "card.", "refund.")) or code == "enrollment.approved"
}


def read_entry(text: str, now: datetime) -> EntryWords:
    """The words of a leaf's exact text."""
    try:
        leaf = decode(text.encode())
    except LedgerError:
        unread = "This entry cannot be read"
        return EntryWords(None, unread, "circle-alert", "danger", unread, "", "", "", "")
    icon, tone = entry_look(leaf.action)
    cents = entry_cents(leaf.facts)
    return EntryWords(
        leaf=leaf,
        text=entry_words(leaf),
        icon=icon,
        tone=tone,
        short=_short(leaf, cents),
        when=_when(leaf.time, now),
        exact_time=exact_time(leaf.time),
        subject=leaf.subject.partition(":")[0].capitalize(),
        amount="" if cents is None else format_rand(cents),
    )


def _short(leaf: Leaf, cents: int | None) -> str:
    if is_card_approval(leaf):
        return "Approved by the card payment"
    return entry_words(leaf) if cents is None else _SHORT.get(leaf.action, entry_words(leaf))


def exact_time(at: datetime) -> str:
    """`4 March 2026, 10:42:05 SAST`, where this computer is; `+02:00` for a zone of many words."""
    local = at.astimezone()
    offset, zone = f"{local:%z}", local.tzname() or ""
    short = zone.isalpha() and len(zone) <= _ZONE_LETTERS
    return (
        f"{local.day} {local:%B %Y, %H:%M:%S} {zone if short else offset[:3] + ':' + offset[3:5]}"
    )


def _when(at: datetime, now: datetime) -> str:
    local = at.astimezone()
    same_year = local.year == now.astimezone().year
    return f"{local.day} {local:%b %H:%M:%S}" if same_year else f"{local:%Y-%m-%d %H:%M}"


# --- facts ---------------------------------------------------------------------------------------

_DROPPED = frozenset(
    {"student", "course", "claim", "user", "device", "attempt", "late_money", "deliveries"}
)  # ids: shown as stored


def fact_fields(leaf: Leaf) -> list[Field]:
    """What the entry tells, one fact a line; what is not known here is told by its own name."""
    return [Field(name, text) for name, text in _facts(leaf)]


def _facts(leaf: Leaf) -> Iterator[tuple[str, str]]:
    known = [key for key in _FACTS if key in leaf.facts]
    other = sorted(key for key in leaf.facts if key not in _FACTS and key not in _DROPPED)
    for key in [*known, *other]:
        value = leaf.facts[key]
        if value is None or value == "" or (key == "signatures" and value == 0):
            continue
        name, words = _FACTS.get(key, (key.replace("_", " ").capitalize(), _plain))
        yield name, words(value)
    if leaf.after is not None:
        before = "none" if leaf.before is None else str(leaf.before)
        yield "Version", f"{before} → {leaf.after}"


def _plain(value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item) for item in value) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_plain(item)}" for key, item in value.items())
    return str(value)


def _code(value: Json) -> str:
    return _plain(value).replace("_", " ").capitalize()


def _money(value: Json) -> str:
    return format_rand(value) if type(value) is int else _plain(value)


def _method(value: Json) -> str:
    return {"eft": "EFT"}.get(str(value), _code(value))


def _reference(value: Json) -> str:
    return show_reference(value) if isinstance(value, str) else _plain(value)


def _key(value: Json) -> str:
    try:
        return fingerprint(read_base64(value, PUBLIC_BYTES))
    except LedgerError:
        return _plain(value)


def _sealed(value: Json) -> str:
    return f"sealed, {str(value)[:12]}…"


def _signatures(value: Json) -> str:
    return counted(value, "signature", "signatures") if type(value) is int else _plain(value)


_Words = Callable[[Json], str]
# In the order in which a person wants to read them.
_FACTS: Mapping[str, tuple[str, _Words]] = MappingProxyType(
    {
        "amount_received": ("Received", _money),
        "claim_cents": ("Claimed", _money),
        "cents": ("Amount", _money),
        "amount_cents": ("Owed", _money),
        "price_cents": ("Price", _money),
        "threshold_cents": ("Two sign from", _money),
        "reference": ("Reference", _reference),
        "method": ("Paid by", _method),
        "verdict": ("Verdict", _code),
        "reason_code": ("Reason", lambda value: reason_words(value) or _plain(value)),
        "code": ("Refused for", lambda value: refusal_words(value).capitalize()),
        "status": ("Status then", _code),
        "signatures": ("Signed by then", _signatures),
        "round": ("Round", _plain),
        "reason": ("Officer's words", _sealed),
        "person": ("Person", _sealed),
        "content": ("Content", _sealed),
        "bank": ("Bank details", _sealed),
        "public_key": ("Key", _key),
        "provider": ("Provider", lambda value: provider_words(_plain(value))),
        "failure": ("Failed because", lambda value: failure_words(value).capitalize()),
        "late": ("Late because", lambda value: late_words(value).capitalize()),
        "how": ("What became of it", lambda value: settlement_words(value).capitalize()),
        "count": ("Callbacks", _plain),
        "roles": ("Roles", _plain),
        "were": ("Roles before", _plain),
        "root": ("First device", _plain),
        "lessons": ("Lessons", _plain),
        "demo": ("Demo data", _plain),
    }
)
