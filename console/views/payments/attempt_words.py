"""A try to pay by card in plain words: how it stands, what to do, what the provider said. Pure."""

from __future__ import annotations

from datetime import datetime

from console.views.payments.shown import Shown, State, fields, when_with_age
from console.views.wording import failure_words
from console.words import provider_words, when_words
from core.domain.card_money import LinkState
from core.domain.enrollment import AttemptStatus
from core.domain.money import format_rand
from core.protocol.messages import CardAttempt

_OPEN = State("Open", "circle-dot", "accent", 2)
_STARTING = State("Starting", "hourglass", "text_muted", 1)
_PAID = State("Paid", "circle-check", "ok", 5)
_LATE = State("Paid late", "triangle-alert", "warn", 0)
_FAILED = State("Failed", "circle-x", "danger", 3)
_GONE = State("Not known", "circle-alert", "text_muted", 4)


def attempt_state(row: CardAttempt) -> State:
    """What the first column says. Money that came counts more than what went wrong before."""
    if row.link_state is LinkState.PAID:
        return _PAID if row.status is AttemptStatus.PAID else _LATE
    if row.status is AttemptStatus.FAILED:
        return _FAILED
    return {LinkState.CREATING: _STARTING, LinkState.GONE: _GONE}.get(row.link_state, _OPEN)


def said_words(row: CardAttempt) -> str:
    """The provider's own word."""
    return row.word or ("not asked yet" if row.asked_at is None else "nothing")


def show_attempt(row: CardAttempt, now: datetime) -> Shown:
    state = attempt_state(row)
    kind, happened, step = _telling(row, state, now)
    return Shown(
        state=state,
        title=format_rand(row.cents),
        reference=row.reference,
        kind=kind,
        happened=happened,
        next_step=step,
        fields=fields(
            ("Student", row.student_name),
            ("Course", row.course_title),
            ("Student reads", row.failure_message),
            ("Started", when_with_age(row.created_at, now)),
            ("Provider", provider_words(row.provider)),
            ("Provider said", said_words(row)),
            ("Last asked", when_with_age(row.asked_at, now) if row.asked_at else "never"),
            ("Asked next", _next(row, now)),
            ("Link", row.link_id),
            ("Enrolled", f"{row.round} times" if row.round > 1 else ""),
        ),
    )


def _telling(row: CardAttempt, state: State, now: datetime) -> tuple[str, str, str]:
    asked = _watched(row, now)
    if state is _PAID:
        return "ok", "The provider confirmed this payment.", "There is nothing to do."
    if state is _LATE:
        words = "The money came, but it fitted nothing that was open."
        return "warn", words, "Somebody settles it under Late money."
    if state is _FAILED:
        why = failure_words(row.failure)
        words = f"The card payment failed: {why}." if why else "The card payment failed."
        return "danger", words, f"The student can try again, or pay by EFT. {asked}".strip()
    if state is _STARTING:
        return "info", "The pay link is being made.", asked
    if state is _GONE:
        return "info", "The provider knows no such payment: nobody paid on it.", asked
    return "info", "The student has not paid on this link yet.", asked


def _watched(row: CardAttempt, now: datetime) -> str:
    if row.next_ask_at is None:
        return ""
    return f"The provider is asked again {_at(row.next_ask_at, now)}: money is never missed."


def _next(row: CardAttempt, now: datetime) -> str:
    return "not any more" if row.next_ask_at is None else _at(row.next_ask_at, now)


def _at(at: datetime, now: datetime) -> str:
    """`within a minute`, `at 10:42`; the day where it is not today."""
    if (at - now).total_seconds() <= 60:
        return "within a minute"
    local = at.astimezone()
    if local.date() == now.astimezone().date():
        return f"at {when_words(at, now)}"
    return f"on {local.day} {local:%b at %H:%M}"
