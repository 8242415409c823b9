"""The book of the officer's own decisions: overlays, counts and news."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.decisions import DecisionBook, news
from console.models.overlay import Progress
from core.client.outbox import OutboxState
from core.domain.decisions import Verdict
from core.domain.references import show_reference
from core.protocol.messages import AnswerKind
from tests.console.samples import answered, approved, item, row

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


@pytest.mark.parametrize(
    ("code", "progress", "words"),
    [
        ("unreachable", Progress.WAITING, "Waiting to send"),
        ("busy", Progress.WAITING, "Waiting to send"),
        ("sign_in_needed", Progress.HELD, "Held"),
        ("device_pending", Progress.HELD, "Held"),
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
