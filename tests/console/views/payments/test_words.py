"""What the Payments screen says of each record: always what happened and what to do."""

from __future__ import annotations

import pytest

from console.views.payments.attempt_words import attempt_state, said_words, show_attempt
from console.views.payments.money_words import (
    WAYS,
    late_state,
    show_late_money,
    show_refund,
    why_not_applied,
)
from console.views.payments.shown import Shown
from console.views.payments.webhook_words import show_alert, show_delivery
from console.words import provider_words
from core.domain.card_money import LateReason, LinkState, RefundState, Settlement
from core.domain.enrollment import AttemptStatus
from core.domain.webhooks import DeliveryState
from tests.console import till
from tests.console.house import NOW


def facts(shown: Shown) -> dict[str, str]:
    return {field.name: field.text for field in shown.fields}


@pytest.mark.parametrize("link", list(LinkState))
@pytest.mark.parametrize("status", list(AttemptStatus))
def test_however_an_attempt_stands_it_has_words(link: LinkState, status: AttemptStatus) -> None:
    shown = show_attempt(till.attempt(1, link=link, status=status), NOW)
    assert shown.happened.endswith(".")
    assert shown.next_step.endswith(".")
    assert shown.state.words
    assert shown.kind in {"info", "ok", "warn", "danger"}


def test_money_that_came_counts_more_than_what_failed_before() -> None:
    states = [attempt_state(row).words for row in till.attempts()]
    assert states == ["Starting", "Open", "Paid", "Failed", "Paid late", "Not known", "Failed"]


def test_the_providers_word_is_its_own() -> None:
    assert said_words(till.attempt(1)) == "not asked yet"
    assert said_words(till.attempt(1, asked=5)) == "nothing"
    assert said_words(till.attempt(1, word="PENDING", asked=5)) == "PENDING"


def test_when_the_provider_is_asked_next_is_told() -> None:
    local = (NOW + till.ago(26)).astimezone()
    row = till.attempt(1, word="UNPAID", asked=2)
    assert facts(show_attempt(row, NOW))["Asked next"] == f"at {local:%H:%M}"
    assert f"asked again at {local:%H:%M}" in show_attempt(row, NOW).next_step
    soon = row.model_copy(update={"next_ask_at": NOW})
    assert facts(show_attempt(soon, NOW))["Asked next"] == "within a minute"
    later = row.model_copy(update={"next_ask_at": NOW + till.ago(60 * 48)})
    assert facts(show_attempt(later, NOW))["Asked next"].startswith("on 6 Mar at ")
    paid = till.attempt(1, link=LinkState.PAID, status=AttemptStatus.PAID)
    assert facts(show_attempt(paid, NOW))["Asked next"] == "not any more"


def test_a_provider_has_its_name() -> None:
    assert [provider_words(name) for name in ("ikhokha", "sandbox-1f", "sandbox", "other")] == [
        "iKhokha", "Sandbox", "Sandbox", "other",
    ]  # fmt: skip


@pytest.mark.parametrize("reason", list(LateReason))
def test_every_reason_for_late_money_has_a_sentence(reason: LateReason) -> None:
    shown = show_late_money(till.late(1, reason), NOW)
    assert shown.happened.endswith(".")
    assert shown.kind == "warn"


@pytest.mark.parametrize("how", list(Settlement))
def test_every_way_to_settle_has_words(how: Settlement) -> None:
    assert WAYS[how]
    row = till.settled(till.late(1), how)
    shown = show_late_money(row, NOW)
    assert (late_state(row).words, shown.kind) == ("Settled", "ok")
    assert facts(shown)["Settled by"].startswith("Palesa Ndlovu, ")
    assert facts(shown)["Words"] == row.words


def test_what_names_nothing_cannot_be_recorded_as_a_payment() -> None:
    assert why_not_applied(till.late(1)) == ""
    assert "no enrollment" in why_not_applied(till.late(1, LateReason.UNKNOWN_TRANSACTION))
    assert "how much" in why_not_applied(till.late(1, cents=None))
    assert show_late_money(till.late(1, cents=None), NOW).title == "not said"


@pytest.mark.parametrize("state", list(RefundState))
def test_however_a_refund_stands_it_has_words(state: RefundState) -> None:
    shown = show_refund(till.refund(1, state), NOW)
    assert shown.happened.endswith(".")
    assert shown.next_step.endswith(".")
    assert facts(shown)["Last step"].startswith("Pieter Botha, ")


@pytest.mark.parametrize(
    "outcome",
    ["approved", "late_money", "already", "not_paid", "failed", "unknown", "unreachable",
     "unreadable", "mismatch", "lost", "OperationalError"],
)  # fmt: skip
@pytest.mark.parametrize("state", list(DeliveryState))
def test_however_a_callback_went_it_has_words(state: DeliveryState, outcome: str) -> None:
    row = till.delivery(1, state, outcome=outcome, message="", tries=2)
    shown = show_delivery(row, NOW, till.detail(row))
    assert shown.happened.endswith(".")
    assert shown.next_step.endswith(".")
    assert [moment.small.split(" · ")[0] for moment in shown.history] == ["try 2", "try 1"]
    assert "_" not in shown.happened


def test_a_callback_without_its_body_says_so_and_one_that_is_not_loaded_does_not() -> None:
    row = till.delivery(1, copies=3)
    assert show_delivery(row, NOW).stored == ""
    lost = till.detail(row).model_copy(update={"body": None})
    assert show_delivery(row, NOW, lost).stored == "What came cannot be shown any more."
    assert facts(show_delivery(row, NOW))["Copies"].startswith("came 3 times, last ")
    again = row.model_copy(update={"replays": 1})
    assert facts(show_delivery(again, NOW))["Replayed"] == "once"


def test_few_refused_callbacks_may_be_a_mistake_and_many_are_none() -> None:
    assert show_alert(till.alert(1), NOW).kind == "warn"
    many = show_alert(till.alert(1, many=True), NOW)
    assert many.kind == "danger"
    assert "no mistake" in many.next_step
    nobody = till.alert(1).model_copy(update={"address": ""})
    assert facts(show_alert(nobody, NOW))["From"] == "many addresses"
