"""Every state of a decision has a word, a drawing, a reason, and a way on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.theme import Theme
from console.views.outbox_words import (
    Group,
    OutboxRow,
    Ways,
    happened,
    next_step,
    reason_of,
    state_of,
    telling,
    tried_words,
    ways_of,
)
from core.client.outbox import OutboxItem, OutboxState
from core.domain.decisions import Decision, ReasonCode, Verdict
from core.protocol.messages import AnswerKind
from core.protocol.signing import decision_payload
from tests.console import samples

ROW = samples.row(1)
QUEUED = samples.item(ROW)
TAKEN_BACK = samples.item(ROW, state=OutboxState.WITHDRAWN)
CHANGED = samples.row(1, version=3, claim_cents=200_000)


def late(code: str) -> OutboxItem:
    return samples.item(ROW, code=code, message="Because.", attempts=2)


def answered(kind: AnswerKind, **fields: object) -> OutboxItem:
    return samples.answered(QUEUED, kind, "It says why.", **fields)  # type: ignore[arg-type]  # passed on


def taken_back(state: OutboxState, *, dismissed: bool = False) -> OutboxRow:
    back = samples.withdrawal(TAKEN_BACK, state=state)
    return OutboxRow(TAKEN_BACK, replace(back, dismissed=dismissed))


def too_late(*, dismissed: bool = False) -> OutboxRow:
    """The decision had been carried out before its withdrawal came."""
    back = samples.answered(
        samples.withdrawal(TAKEN_BACK),
        AnswerKind.REFUSED,
        "It was carried out before.",
        code="already_decided",
    )
    done = samples.answered(TAKEN_BACK, AnswerKind.ACCEPTED)
    return OutboxRow(done, replace(back, dismissed=dismissed))


def shut_out() -> OutboxRow:
    """The number is used up all the same."""
    withdrawal, words = samples.withdrawal(TAKEN_BACK), "This device was revoked."
    refused = samples.answered(withdrawal, AnswerKind.REFUSED, words, code="device_revoked")
    return OutboxRow(TAKEN_BACK, refused)


CASES = {
    "fresh": (
        OutboxRow(QUEUED), "To send", "send", Group.WAITING,
        "Goes out by itself", "as soon as the backend can be reached",
        Ways(retry=True, discard=True),
    ),
    "unreachable": (
        OutboxRow(late("unreachable")), "Waiting", "hourglass", Group.WAITING,
        "Because.", "goes out by itself, next try within a minute",
        Ways(retry=True, discard=True),
    ),
    "signed out": (
        OutboxRow(late("sign_in_needed")), "Held", "lock", Group.WAITING,
        "Because.", "once you have signed in again",
        Ways(retry=True, discard=True),
    ),
    "not enrolled": (
        OutboxRow(late("device_pending")), "Held", "lock", Group.WAITING,
        "Because.", "once an administrator has enrolled this console",
        Ways(retry=True, discard=True),
    ),
    "signed with an earlier key": (
        OutboxRow(late("unreachable"), earlier_key=True), "Waiting", "hourglass", Group.WAITING,
        "Because.", "cannot be discarded. Should it not be carried out, ask an administrator",
        Ways(retry=True),
    ),
    "signed with an earlier key that nobody enrolled": (
        OutboxRow(late("device_pending"), earlier_key=True), "Held", "lock", Group.WAITING,
        "Because.", "once an administrator enrolls that key", Ways(retry=True),
    ),
    "stuck, and signed with an earlier key": (
        OutboxRow(
            samples.item(ROW, state=OutboxState.NEEDS_PERSON, message="Too large."),
            earlier_key=True,
        ),
        "Stuck", "circle-alert", Group.NEEDS_YOU,
        "Too large.", "try it again. It was signed with an earlier key", Ways(retry=True),
    ),
    "withdrawn with an earlier key": (
        replace(taken_back(OutboxState.QUEUED), earlier_key=True),
        "Withdrawing", "undo-2", Group.WAITING,
        "You discarded it", "goes to the ledger by itself", Ways(retry=True),
    ),
    "sending": (
        OutboxRow(replace(QUEUED, state=OutboxState.SENDING)), "Sending", "send", Group.WAITING,
        "On its way to the backend", "carried out only once", Ways(),
    ),
    "accepted": (
        OutboxRow(answered(AnswerKind.ACCEPTED)), "Accepted", "circle-check", Group.DONE,
        "On the ledger: entry 9", "nothing left to do", Ways(),
    ),
    "first signature": (
        OutboxRow(answered(AnswerKind.ACCEPTED, code="first_signature")),
        "Signed first", "user-check", Group.DONE,
        "First of two signatures: entry 9", "Another officer", Ways(),
    ),
    "decided by somebody else": (
        OutboxRow(answered(AnswerKind.CONFLICT_DECIDED, now=samples.approved(ROW))),
        "Conflict", "triangle-alert", Group.NEEDS_YOU,
        "It says why.", "dismiss it once read", Ways(dismiss=True),
    ),
    "changed": (
        OutboxRow(answered(AnswerKind.CONFLICT_CHANGED, now=CHANGED)),
        "Conflict", "triangle-alert", Group.NEEDS_YOU,
        "It says why.", "then decide again", Ways(dismiss=True, again="Decide again…"),
    ),
    "changed and decided": (
        OutboxRow(answered(AnswerKind.CONFLICT_CHANGED, now=samples.approved(ROW))),
        "Conflict", "triangle-alert", Group.NEEDS_YOU,
        "It says why.", "Dismiss it once read", Ways(dismiss=True),
    ),
    "too old": (
        OutboxRow(answered(AnswerKind.REFUSED, code="too_old", now=ROW)),
        "Refused", "circle-x", Group.NEEDS_YOU,
        "It says why.", "then decide again", Ways(dismiss=True, again="Look again"),
    ),
    "signed with a key that was revoked": (
        OutboxRow(answered(AnswerKind.REFUSED, code="device_revoked", now=ROW)),
        "Refused", "circle-x", Group.NEEDS_YOU,
        "It says why.", "then decide again", Ways(dismiss=True, again="Look again"),
    ),
    "not allowed": (
        OutboxRow(answered(AnswerKind.REFUSED, code="not_allowed")),
        "Refused", "circle-x", Group.NEEDS_YOU,
        "It says why.", "Dismiss it once read", Ways(dismiss=True),
    ),
    "dismissed": (
        OutboxRow(replace(answered(AnswerKind.REFUSED), dismissed=True)),
        "Refused", "circle-x", Group.DONE,
        "It says why.", "read and dismissed", Ways(),
    ),
    "stuck": (
        OutboxRow(samples.item(ROW, state=OutboxState.NEEDS_PERSON, message="Too large.")),
        "Stuck", "circle-alert", Group.NEEDS_YOU,
        "Too large.", "try it again, or discard it", Ways(retry=True, discard=True),
    ),
    "withdrawing": (
        taken_back(OutboxState.QUEUED), "Withdrawing", "undo-2", Group.WAITING,
        "You discarded it", "does not go out any more", Ways(retry=True),
    ),
    "withdrawal stuck": (
        taken_back(OutboxState.NEEDS_PERSON), "Stuck", "circle-alert", Group.NEEDS_YOU,
        "No reason was given", "Try it again", Ways(retry=True),
    ),
    "withdrawn": (
        taken_back(OutboxState.ACCEPTED), "Withdrawn", "undo-2", Group.DONE,
        "The withdrawal is on the ledger", "never be carried out", Ways(),
    ),
    "too late to withdraw": (
        too_late(), "Not withdrawn", "triangle-alert", Group.NEEDS_YOU,
        "It was carried out before.", "a supervisor can reverse it", Ways(dismiss=True),
    ),
    "too late, and read": (
        too_late(dismissed=True), "Accepted", "circle-check", Group.DONE,
        "On the ledger: entry 9", "nothing left to do", Ways(),
    ),
    "withdrawal refused, and read": (
        taken_back(OutboxState.REFUSED, dismissed=True), "Refused", "circle-x",
        Group.DONE, "No reason was given", "read and dismissed", Ways(),
    ),
    "withdrawn by somebody who was shut out": (
        shut_out(), "Refused", "circle-x", Group.NEEDS_YOU,
        "This device was revoked.", "not carried out and never will be", Ways(dismiss=True),
    ),
    "withdrawn, its withdrawal forgotten": (
        OutboxRow(TAKEN_BACK), "Withdrawn", "undo-2", Group.DONE,
        "Withdrawn on this computer", "does not go out", Ways(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_a_person_reads_and_can_do(name: str) -> None:
    row, words, icon, group, line, after, ways = CASES[name]
    state = state_of(row)
    assert (state.words, state.icon, row.group) == (words, icon, group)
    assert happened(row) == line
    assert after in next_step(row, samples.NOW)
    assert ways_of(row) == ways
    kind, told = telling(row)
    assert kind in {"info", "ok", "warn", "danger"}
    assert told.endswith(".")
    assert not told.endswith("..")


def test_there_is_a_drawing_and_a_colour_for_every_state(theme: Theme) -> None:
    for row, *_ in CASES.values():
        state = state_of(row)
        assert theme.colour(state.tone).isValid()
        assert not theme.pixmap(state.icon, state.tone).isNull()


def test_how_often_it_was_tried() -> None:
    later = replace(late("unreachable"), attempts=1, not_before=samples.NOW + timedelta(hours=2))
    at = f"{later.not_before.astimezone():%H:%M}"
    assert tried_words(later, samples.NOW) == f"once; next try at {at}"
    assert tried_words(late("unreachable"), samples.NOW) == "2 times; next try within a minute"
    assert tried_words(QUEUED, samples.NOW) == ""


def test_the_signed_reason_is_read_from_what_was_signed() -> None:
    signed = Decision(
        id=QUEUED.id,
        officer=QUEUED.officer,
        device=QUEUED.device,
        n=1,
        as_of=1,
        enrollment=ROW.enrollment,
        expected_version=2,
        seen="ab" * 32,
        verdict=Verdict.REJECT,
        reason_code=ReasonCode.WRONG_AMOUNT,
    )
    assert reason_of(replace(QUEUED, payload=decision_payload(signed))) == "The amount is wrong"
    assert reason_of(QUEUED) == ""  # what cannot be read has no reason
    assert reason_of(samples.withdrawal(QUEUED)) == ""
