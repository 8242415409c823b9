"""Card money on the ledger in plain words, and that nothing the backend writes lacks words."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

import core
from console.views import audit_words
from console.views.wording import ending_words, entry_look, entry_moment, entry_words
from core.domain.card_money import LateReason, RefundState, Settlement
from core.domain.enrollment import EnrollmentStatus
from core.domain.failures import FailureClass
from core.domain.roles import GATEWAY
from core.ledger.leaf import Leaf, decode, encode
from core.protocol.messages import TimelineEntry
from tests.console import samples

_ROOT = Path(core.__file__).parent
_WRITES = (_ROOT / "backend" / "services", _ROOT / "domain")
_KINDS = ("enrollment", "card", "claim", "decision", "withdrawal", "student", "user", "device",
          "course", "workspace", "late_money", "refund", "webhook")  # fmt: skip
_ACTION = re.compile(rf"(?:{'|'.join(_KINDS)})\.[a-z_]+")
_MADE_UP = {"refund.": [f"refund.{state.value}" for state in (RefundState.SENT, RefundState.DONE)]}


def written() -> list[str]:
    """Every action that stands in the backend's source, as a whole or put together there."""
    found: set[str] = set()
    for path in (path for folder in _WRITES for path in folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} if _ACTION.fullmatch(node.value) else set()
            elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                head = str(node.values[0].value)
                if head.removesuffix(".") in _KINDS and head.endswith("."):
                    found |= set(_MADE_UP[head])  # a new kind of these must be told here
    return sorted(found)


def leaf(action: str, **facts: object) -> Leaf:
    return decode(samples.leaf(action, facts).encode())


def by_card(**facts: object) -> Leaf:
    return replace(leaf("enrollment.approved", cents=125_000, **facts), actor=GATEWAY.code)


def test_the_source_tells_what_is_written() -> None:
    found = written()
    assert {"enrollment.approved", "card.late_money", "late_money.settled", "refund.done",
            "webhook.replayed", "decision.withdrawn", "workspace.set"} <= set(found)  # fmt: skip


@pytest.mark.parametrize("action", written())
def test_whatever_the_backend_writes_has_words_and_a_drawing(action: str) -> None:
    words = entry_words(leaf(action))
    assert words != action.replace(".", ": ").replace("_", " ").capitalize()
    assert "_" not in words
    assert entry_look(action) != entry_look("meteor.fell")


@pytest.mark.req("2.1")
def test_a_card_approval_is_the_systems_and_says_by_which_provider() -> None:
    told = by_card(provider="ikhokha")
    assert entry_words(told) == "Approved by the card payment (iKhokha), access granted"
    assert entry_words(by_card()) == "Approved by the card payment, access granted"
    assert entry_words(by_card(provider=7)) == "Approved by the card payment, access granted"
    read = audit_words.read_entry(encode(told).decode(), samples.NOW)
    assert (read.short, read.tone) == ("Approved by the card payment", "ok")
    fields = {field.name: field.text for field in audit_words.fact_fields(told)}
    assert fields["Provider"] == "iKhokha"
    entry = TimelineEntry(index=9, leaf=encode(told).decode(), actor_name="Card provider")
    moment = entry_moment(entry, samples.NOW)
    assert moment.text == "Approved by the card payment (iKhokha), access granted"
    assert moment.small.startswith("Card provider · ")


def test_an_officers_approval_is_no_card_payment() -> None:
    assert entry_words(leaf("enrollment.approved", provider="x")) == "Approved, access granted"


def test_a_row_that_the_card_payment_approved_says_so() -> None:
    row = samples.row(1, waiting=False, status=EnrollmentStatus.APPROVED)
    row = row.model_copy(update={"status_by": GATEWAY.code, "status_by_name": "Card provider"})
    kind, words = ending_words(row, samples.NOW)
    assert kind == "ok"
    assert words.startswith("Approved by the card payment, ")


@pytest.mark.parametrize(
    ("failure", "words"),
    [(FailureClass.INSUFFICIENT_FUNDS, "insufficient funds"), (FailureClass.DECLINED, "declined")],
)
def test_an_officer_sees_why_a_card_payment_failed(failure: FailureClass, words: str) -> None:
    failed = leaf("card.failed", failure=failure.value)
    assert entry_words(failed) == f"The card payment failed: {words}"
    assert entry_words(leaf("card.failed")) == "The card payment failed"


def test_late_money_refunds_and_replays() -> None:
    settled = leaf("late_money.settled", how=Settlement.REFUNDED.value, cents=100)
    assert entry_words(settled) == "Late card money settled: given back"
    assert entry_words(leaf("late_money.settled")) == "Late card money settled"
    assert entry_words(leaf("refund.sent", cents=125_000)) == "Refund sent: R\u00a01\u00a0250.00"
    assert entry_words(leaf("webhook.replayed", count=1)).startswith("1 callback of")
    assert entry_words(leaf("webhook.replayed", count=12)).startswith("12 callbacks of")
    assert entry_words(leaf("webhook.replayed", count="x")).startswith("Callbacks of")


def test_the_facts_of_card_money_have_names() -> None:
    late = leaf("card.late_money", late=LateReason.NOT_PENDING.value, attempt="0", cents=500)
    fields = {field.name: field.text for field in audit_words.fact_fields(late)}
    assert fields == {
        "Amount": "R\u00a05.00", "Late because": "Not open any more", "Version": "1 → 2",
    }  # fmt: skip
    odd = leaf("late_money.settled", how="meteor_fell", late_money="0", reason="ab" * 32)
    fields = {field.name: field.text for field in audit_words.fact_fields(odd)}
    assert fields["What became of it"] == "Meteor fell"
    replayed = leaf("webhook.replayed", deliveries=["0"], count=1)
    fields = {field.name: field.text for field in audit_words.fact_fields(replayed)}
    assert fields["Callbacks"] == "1"
