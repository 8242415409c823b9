"""Late money and refunds in plain words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from console.views.payments.shown import Shown, State, fields, money_words, when_with_age
from console.views.wording import late_words, settlement_words
from console.words import provider_words, when_words
from core.domain.card_money import LateReason, LateState, RefundState, Settlement
from core.domain.money import format_rand
from core.protocol.messages import LateMoneyRow, RefundRow

# --- late money ----------------------------------------------------------------------------------

_WHY: Mapping[LateReason, str] = MappingProxyType(
    {
        LateReason.WRONG_AMOUNT: "What was paid is not what was owed.",
        LateReason.OTHER_TRANSACTION: (
            "The link is ours, but what was paid on it is another payment."
        ),
        LateReason.UNKNOWN_TRANSACTION: (
            "The provider has this payment, and no enrollment here explains it."
        ),
        LateReason.ALREADY_PAID: "The enrollment had been paid before.",
        LateReason.NOT_PENDING: (
            "The enrollment was rejected, expired or revoked before the money came."
        ),
        LateReason.OLD_ROUND: (
            "It was meant for an enrollment that has ended; the student has enrolled again."
        ),
    }
)
# As the form asks it.
WAYS: Mapping[Settlement, str] = MappingProxyType(
    {
        Settlement.REFUNDED: "It was given back",
        Settlement.APPLIED: "Record it as a payment, which then waits for approval",
        Settlement.OTHER: "Something else was done",
    }
)
_LATE_OPEN = State("Open", "triangle-alert", "warn", 0)
_SETTLED = State("Settled", "circle-check", "ok", 1)


def late_state(row: LateMoneyRow) -> State:
    return _LATE_OPEN if row.state is LateState.OPEN else _SETTLED


def short_reason(row: LateMoneyRow) -> str:
    return late_words(row.reason).capitalize()


def long_reason(row: LateMoneyRow) -> str:
    return _WHY[row.reason]


def why_not_applied(row: LateMoneyRow) -> str:
    """Why it cannot become a payment that waits for approval, or nothing."""
    if row.enrollment is None:
        return "This money names no enrollment here."
    return "" if row.cents else "Nobody said how much it is."


def show_late_money(row: LateMoneyRow, now: datetime) -> Shown:
    state, why = late_state(row), long_reason(row)
    settled = settlement_words(row.how).capitalize() or "Settled"
    by = f"{row.by_name}, {when_words(row.at, now)}" if row.by_name and row.at else row.by_name
    return Shown(
        state=state,
        title=money_words(row.cents),
        reference=row.reference or "",
        kind="warn" if state is _LATE_OPEN else "ok",
        happened=why if state is _LATE_OPEN else f"{settled}.",
        next_step=_LATE_STEP if state is _LATE_OPEN else "There is nothing left to do.",
        fields=fields(
            ("Student", row.student_name),
            ("Course", row.course_title),
            ("Found", when_with_age(row.found_at, now)),
            ("Why it is late", why if state is _SETTLED else ""),
            ("Enrollment", row.enrollment_status.value if row.enrollment_status else "none here"),
            ("Provider", provider_words(row.provider)),
            ("Link", row.link_id),
            ("Settled by", by),
            ("Words", row.words),
        ),
    )


_LATE_STEP = "Nothing was applied by itself. Find out whose it is, then settle it."

# --- refunds -------------------------------------------------------------------------------------

_REFUND_STATES: Mapping[RefundState, State] = MappingProxyType(
    {
        RefundState.DUE: State("Due", "circle-alert", "warn", 0),
        RefundState.SENT: State("Sent", "send", "accent", 1),
        RefundState.DONE: State("Done", "circle-check", "ok", 2),
        RefundState.NOT_DUE: State("Not due", "undo-2", "text_muted", 3),
    }
)
_REFUND_WORDS: Mapping[RefundState, tuple[str, str, str]] = MappingProxyType(
    {
        RefundState.DUE: (
            "warn",
            "The approval of this card payment was reversed: the money has to go back.",
            "Give it back at the provider, then say here that it was sent.",
        ),
        RefundState.SENT: (
            "info",
            "The money is on its way back.",
            "Once the provider shows that it arrived, say here that it is done.",
        ),
        RefundState.DONE: ("ok", "The money is back.", "There is nothing left to do."),
        RefundState.NOT_DUE: (
            "info",
            "The student was reinstated before anything was sent.",
            "There is nothing to give back.",
        ),
    }
)


def refund_state(row: RefundRow) -> State:
    return _REFUND_STATES[row.state]


def show_refund(row: RefundRow, now: datetime) -> Shown:
    kind, happened, step = _REFUND_WORDS[row.state]
    return Shown(
        state=refund_state(row),
        title=format_rand(row.cents),
        reference=row.reference,
        kind=kind,
        happened=happened,
        next_step=step,
        fields=fields(
            ("Student", row.student_name),
            ("Course", row.course_title),
            ("Opened", when_with_age(row.opened_at, now)),
            ("Last step", f"{row.by_name}, {when_words(row.at, now)}"),
        ),
    )
