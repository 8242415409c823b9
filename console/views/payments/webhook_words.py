"""Callbacks of the card provider, and alerts about them, in plain words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from console.views.payments.shown import Shown, State, fields, when_with_age
from console.widgets.fields import Moment
from console.words import counted, provider_words, when_words
from core.domain.webhooks import DeliveryState
from core.protocol.messages import SecurityAlertRow, WebhookDetail, WebhookRow, WebhookTry

_STATES: Mapping[DeliveryState, State] = MappingProxyType(
    {
        DeliveryState.DEAD: State("Dead letter", "circle-alert", "danger", 0),
        DeliveryState.WAITING: State("Waiting", "hourglass", "accent", 1),
        DeliveryState.DONE: State("Done", "circle-check", "ok", 2),
    }
)
_OUTCOMES: Mapping[str, str] = MappingProxyType(
    {
        "": "Not tried yet",
        "approved": "Approved",
        "late_money": "Late money: somebody has to look",
        "already": "Confirmed before",
        "not_paid": "The provider says: not paid",
        "failed": "The payment did not work",
        "unknown": "No such payment here",
        "unreachable": "The provider did not answer",
        "unreadable": "The callback cannot be read",
        "mismatch": "It contradicts what is known here",
        "lost": "Cut short each time",
    }
)
_GOOD = frozenset({"approved", "already", "failed"})


_DEAD_STEP = (
    "No money is lost: the provider is asked about every link anyway."
    " Replay it once the cause is gone."
)


def delivery_state(row: WebhookRow) -> State:
    return _STATES[row.state]


def claim_words(row: WebhookRow) -> str:
    """What the callback itself says; the provider is asked whether it is true."""
    return {True: "paid", False: "failed", None: "unreadable"}[row.success]


def outcome_words(code: str) -> str:
    """An outcome's code in words; the name of an error stays as it is."""
    return _OUTCOMES.get(code, f"Error: {code}")


def show_delivery(row: WebhookRow, now: datetime, detail: WebhookDetail | None = None) -> Shown:
    """`detail` brings its tries and its body, once they are there."""
    kind, happened, step = _telling(row, now)
    return Shown(
        state=delivery_state(row),
        title=f"Says: {claim_words(row)}",
        reference=row.reference or "",
        kind=kind,
        happened=happened,
        next_step=step,
        fields=fields(
            ("Student", row.student_name),
            ("Course", row.course_title),
            ("Received", when_with_age(row.received_at, now)),
            ("Copies", _copies(row, now)),
            ("Code", row.code),
            ("Provider", provider_words(row.provider)),
            ("Link", row.link_id),
            ("Our number", row.external_id),
            ("Replayed", _times(row.replays) if row.replays else ""),
        ),
        history=() if detail is None else tuple(_moment(one, now) for one in detail.tries[::-1]),
        stored="" if detail is None else detail.body or "What came cannot be shown any more.",
    )


def _telling(row: WebhookRow, now: datetime) -> tuple[str, str, str]:
    said = row.message or f"{outcome_words(row.outcome)}."
    if row.state is DeliveryState.DEAD:
        words = f"Given up after {counted(row.tries, 'try', 'tries')}. {said}"
        return "danger", words, _DEAD_STEP
    if row.state is DeliveryState.DONE:
        return "ok" if row.outcome in _GOOD else "info", said, "There is nothing to do."
    when = "" if row.next_try_at is None else f" {_next(row.next_try_at, now)}"
    if not row.tries:
        return "info", "It is kept, and is being worked on.", ""
    return "info", said, f"It is tried again by itself{when}."


def _next(at: datetime, now: datetime) -> str:
    soon = (at - now).total_seconds() <= 60
    return "within a minute" if soon else f"at {when_words(at, now)}"


def _copies(row: WebhookRow, now: datetime) -> str:
    if row.copies <= 1:
        return ""
    return f"came {_times(row.copies)}, last {when_words(row.last_at, now)}"


def _times(count: int) -> str:
    return "once" if count == 1 else counted(count, "time", "times")


def _moment(one: WebhookTry, now: datetime) -> Moment:
    good = one.outcome in _GOOD
    icon, tone = ("circle-check", "ok") if good else ("circle-alert", "warn")
    small = f"try {one.n} · {when_words(one.at, now)}"
    words = outcome_words(one.outcome)
    return Moment(icon, tone, words, f"{small} · {one.message}" if one.message else small)


# --- alerts --------------------------------------------------------------------------------------

_MANY = State("Many", "shield-alert", "danger", 0)
_FEW = State("Refused", "shield-alert", "warn", 1)


def alert_state(row: SecurityAlertRow) -> State:
    return _MANY if row.many else _FEW


def address_words(row: SecurityAlertRow) -> str:
    return row.address or "many addresses"


def show_alert(row: SecurityAlertRow, now: datetime) -> Shown:
    step = "Nothing was changed by them."
    if row.many:
        step += " This is no mistake: have the address blocked in front of the backend."
    else:
        step += " If this goes on, compare the secret here with the provider's."
    return Shown(
        state=alert_state(row),
        title=counted(row.count, "callback", "callbacks"),
        reference="",
        kind="danger" if row.many else "warn",
        happened=row.message,
        next_step=step,
        fields=fields(
            ("From", address_words(row)),
            ("First", when_with_age(row.first_at, now)),
            ("Last", when_with_age(row.last_at, now)),
        ),
    )
