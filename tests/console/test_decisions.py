"""The book of the officer's own decisions: overlays, counts and news."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from console.decisions import DecisionBook, news, news_of
from console.models.overlay import Progress
from core.client.outbox import OutboxState
from core.domain.decisions import Verdict
from core.domain.references import show_reference
from core.protocol.messages import AnswerKind
from tests.console.samples import answered, approved, item, row, withdrawal

ROW = row(1)
REFERENCE = show_reference(ROW.reference)


def test_a_decision_is_an_overlay_until_the_row_tells_it() -> None:
    book, decided = DecisionBook(), item(ROW)
    book.note(decided)
    assert book.waiting == 1
    assert book.overlays()[ROW.enrollment].progress is Progress.SENDING
    assert book.overlays()[ROW.enrollment].words == "Approving…"
    book.note(answered(decided, AnswerKind.ACCEPTED, "Approved."))
    assert book.waiting == 0
    assert book.overlays()[ROW.enrollment].words == "Approved"
    book.settle([ROW])  # still waiting there: the answer is ahead of the feed, or it is undone
    book.settle([approved(ROW)])
    assert book.overlays() == {}


def test_only_what_became_another_overlay_is_told() -> None:
    book, other = DecisionBook(), row(2)
    book.note(item(ROW))
    book.note(item(other))
    assert book.take_changed() == {ROW.enrollment, other.enrollment}
    book.note(item(ROW))
    assert book.take_changed() == set()
    book.note(item(ROW, state=OutboxState.SENDING, attempts=1))
    book.settle([approved(other)])
    assert book.take_changed() == set()  # on its way as before; not answered yet
    book.note(answered(item(other), AnswerKind.ACCEPTED, "Approved."))
    book.settle([approved(other)])
    assert book.take_changed() == {other.enrollment}
    assert set(book.overlays()) == {ROW.enrollment}


@pytest.mark.parametrize(
    ("code", "progress", "words"),
    [
        ("unreachable", Progress.WAITING, "Approval waits"),
        ("busy", Progress.WAITING, "Approval waits"),
        ("sign_in_needed", Progress.HELD, "Approval held"),
        ("device_pending", Progress.HELD, "Approval held"),
    ],
)
def test_why_a_decision_waits(code: str, progress: Progress, words: str) -> None:
    book = DecisionBook()
    book.note(item(ROW, attempts=1, code=code, message="Because."))
    overlay = book.overlays()[ROW.enrollment]
    assert (overlay.progress, overlay.words, overlay.message) == (progress, words, "Because.")
    assert overlay.blocks_deciding
    assert book.waiting == 1


def test_a_conflict_lets_decide_again_and_the_newer_decision_counts() -> None:
    book, first = DecisionBook(), item(ROW, n=1)
    changed = row(1, version=3, claim_cents=100)
    conflict = answered(first, AnswerKind.CONFLICT_CHANGED, now=changed)
    book.note(first)
    book.note(conflict)
    book.settle([changed])
    overlay = book.overlays()[ROW.enrollment]
    assert overlay.progress is Progress.CONFLICT
    assert overlay.message == "Something changed while you decided."
    assert not overlay.blocks_deciding
    second = item(changed, n=2, verdict=Verdict.REJECT)
    book.note(second)
    book.note(conflict)  # an old answer told once more must not cover the new decision
    assert book.overlays()[ROW.enrollment].words == "Rejecting…"
    assert book.waiting == 1


def test_a_first_signature_leaves_the_row_to_the_next_officer() -> None:
    book, decided = DecisionBook(), item(ROW)
    book.note(decided)
    book.note(answered(decided, AnswerKind.ACCEPTED, code="first_signature"))
    assert book.overlays() == {}
    assert book.waiting == 0


def test_news_in_plain_words() -> None:
    decided = item(ROW)
    told = news(answered(decided, AnswerKind.ACCEPTED))
    assert told is not None
    assert told.kind == "ok"
    assert told.text == f"Approved R\u00a02\u00a0899.50 — {REFERENCE}"
    rejected = news(answered(item(ROW, verdict=Verdict.REJECT), AnswerKind.ACCEPTED))
    assert rejected is not None
    assert rejected.text.startswith("Rejected ")
    signed = news(answered(decided, AnswerKind.ACCEPTED, code="first_signature"))
    assert signed is not None
    assert signed.text.endswith("A second officer must sign.")
    late = news(answered(decided, AnswerKind.CONFLICT_DECIDED, "T. Mokoena approved this at 10:42"))
    assert late is not None
    assert (late.kind, late.text) == ("warn", f"{REFERENCE}: T. Mokoena approved this at 10:42")
    refused = news(answered(decided, AnswerKind.REFUSED, "You are not allowed to do this."))
    assert refused is not None
    assert refused.kind == "danger"


def test_of_several_at_once_the_gravest_is_told_and_how_many_are_like_it() -> None:
    approved_ones = [answered(item(row(n)), AnswerKind.ACCEPTED) for n in range(1, 4)]
    last = show_reference(approved_ones[-1].reference)
    told = news_of(approved_ones)
    assert told is not None
    assert (told.kind, told.text.partition(" — ")[2]) == ("ok", f"{last} (and 2 more)")
    late = answered(item(ROW), AnswerKind.CONFLICT_DECIDED, "Somebody else was faster.")
    assert news_of([late, *approved_ones]) == news(late)
    assert news_of([item(ROW)]) is None
    assert news_of([]) is None


def test_waiting_is_told_once_and_not_at_every_try() -> None:
    first = item(ROW, attempts=1, code="unreachable", message="The backend cannot be reached.")
    told = news(first)
    assert told is not None
    assert told.text.startswith("Kept, not sent yet: ")
    assert news(replace(first, attempts=2)) is None
    assert news(item(ROW)) is None
    stuck = news(item(ROW, state=OutboxState.NEEDS_PERSON, message="Please decide again."))
    assert stuck is not None
    assert stuck.kind == "danger"


def test_a_discarded_decision_leaves_the_row_and_its_withdrawal_waits() -> None:
    book, decided = DecisionBook(), item(ROW)
    book.note(decided)
    discarded, taking_back = replace(decided, state=OutboxState.WITHDRAWN), withdrawal(decided)
    book.note(discarded)
    book.note(taking_back)
    assert book.overlays() == {}
    assert book.waiting == 1
    told = news(discarded)
    assert told is not None
    assert told.text.startswith("Discarded: ")
    assert news(taking_back) is None
    done = withdrawal(decided, state=OutboxState.ACCEPTED)
    book.note(done)
    assert book.waiting == 0
    settled = news(done)
    assert settled is not None
    assert settled.text.startswith("Withdrawn, and on the ledger: ")
    late = news(replace(done, state=OutboxState.REFUSED, reason_message="It was done before."))
    assert late is not None
    assert (late.kind, late.text.endswith("It was done before.")) == ("warn", True)


def test_what_was_seen_to_have_ended_lies_over_nothing_and_is_no_news() -> None:
    book = DecisionBook()
    conflict = answered(item(ROW), AnswerKind.CONFLICT_CHANGED, now=ROW)
    book.note(conflict)
    assert book.overlays()[ROW.enrollment].shown == ROW
    book.note(replace(conflict, dismissed=True))
    assert book.overlays() == {}
    assert news(replace(conflict, dismissed=True)) is None


def test_an_earlier_decision_that_is_discarded_leaves_the_newer_one() -> None:
    book = DecisionBook()
    first, second = item(ROW, n=1), item(ROW, n=2, verdict=Verdict.REJECT)
    book.note(first)
    book.note(second)
    book.note(replace(first, state=OutboxState.WITHDRAWN))
    assert book.overlays()[ROW.enrollment].words == "Rejecting…"


@pytest.mark.parametrize("told", ["in order", "the earlier one once more"])
def test_what_a_new_key_signed_is_newer_than_what_the_one_before_did(told: str) -> None:
    """A new key counts from nothing again."""
    book = DecisionBook()
    first = replace(item(ROW, n=40, age=timedelta(hours=1)), device=UUID(int=1))
    second = replace(item(ROW, n=0, verdict=Verdict.REJECT), device=UUID(int=2))
    book.note(first)
    book.note(second)
    if told == "the earlier one once more":
        book.note(answered(first, AnswerKind.REFUSED, "This device was revoked."))
        book.note(replace(first, state=OutboxState.REFUSED, dismissed=True))
    assert book.overlays()[ROW.enrollment].words == "Rejecting…"
