"""Every action of the ledger has words; unknown ones too."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.views import audit_words
from console.views.wording import (
    REASONS,
    REJECT_REASONS,
    changes_since,
    difference,
    ending_words,
    entry_look,
    entry_moment,
    entry_words,
    reason_words,
)
from console.words import age_words, counted, whole
from core.domain.decisions import ReasonCode
from core.domain.enrollment import EnrollmentStatus
from core.domain.transitions import ENROLLED, RULES
from core.ledger.leaf import decode
from core.protocol.messages import TimelineEntry
from tests.console import samples

DECISIONS = {"decision.refused", "decision.withdrawn", "withdrawal.refused"}
ACTIONS = sorted({rule.action for rule in RULES} | {ENROLLED} | DECISIONS)


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_of_the_state_table_has_its_own_words(action: str) -> None:
    words = entry_words(decode(samples.leaf(action).encode()))
    assert words
    assert "." not in words
    assert "_" not in words
    generic = action.replace(".", ": ").replace("_", " ").capitalize()
    assert words != generic


HOUSE = (
    "student.registered", "student.password_changed", "user.added", "user.roles_changed",
    "user.disabled", "user.enabled", "user.password_changed", "user.sessions_ended",
    "device.requested", "device.enrolled", "device.refused", "device.revoked", "course.added",
    "course.changed", "course.retired", "course.reopened", "workspace.set",
)  # fmt: skip
MONEY = ("late_money.settled", "refund.sent", "refund.done", "webhook.replayed")


@pytest.mark.parametrize("action", [*ACTIONS, *HOUSE, *MONEY])
def test_whatever_happens_has_a_drawing_of_its_own(action: str) -> None:
    assert entry_look(action)[0] != entry_look("meteor.fell")[0]


def test_what_one_can_filter_by_is_what_happens() -> None:
    codes = [code for group in audit_words.ACTIONS for code, _ in group]
    assert len(set(codes)) == len(codes)
    assert set(codes) <= {*ACTIONS, *HOUSE, *MONEY}


def test_facts_are_told_by_their_names() -> None:
    facts = {
        "amount_cents": 125_000, "signatures": 2, "reason_code": "wrong_amount",
        "reason": "ab" * 32,
        "method": "eft", "roles": ["officer", "supervisor"], "code": "conflict_decided",
        "meteor": True, "claim": "0", "amount_received": None,
    }  # fmt: skip
    read = audit_words.read_entry(samples.leaf("enrollment.rejected", facts), samples.NOW)
    assert read.leaf is not None
    fields = {field.name: field.text for field in audit_words.fact_fields(read.leaf)}
    assert fields == {
        "Owed": "R\u00a01\u00a0250.00",
        "Paid by": "EFT",
        "Reason": "The amount is wrong",
        "Refused for": "Decided already",
        "Signed by then": "2 signatures",
        "Officer's words": "sealed, abababababab…",
        "Roles": "officer, supervisor",
        "Meteor": "yes",
        "Version": "1 → 2",
    }


def test_an_exact_time_names_its_zone() -> None:
    local = samples.NOW.astimezone()
    words = audit_words.exact_time(samples.NOW)
    assert words.startswith(f"{local.day} March 2026, {local:%H:%M:%S} ")
    assert words.rsplit(" ", 1)[1]


def test_facts_enter_the_words() -> None:
    claim = decode(samples.leaf("claim.submitted", {"cents": 125_000}).encode())
    assert entry_words(claim) == "Says the EFT is paid: R\u00a01\u00a0250.00"
    rejected = decode(samples.leaf("enrollment.rejected", {"reason_code": "wrong_amount"}).encode())
    assert entry_words(rejected) == "Rejected: the amount is wrong"
    odd = decode(samples.leaf("enrollment.rejected", {"reason_code": "meteor"}).encode())
    assert entry_words(odd) == "Rejected: meteor"


@given(
    action=st.from_regex(r"[a-z]{1,8}\.[a-z][a-z_]{0,8}", fullmatch=True),
    facts=st.dictionaries(
        st.sampled_from(("cents", "reason_code", "amount_cents", "method")),
        st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=3)),
    ),
)
def test_any_entry_renders(action: str, facts: dict[str, object]) -> None:
    entry = TimelineEntry(index=7, leaf=samples.leaf(action, facts), actor_name="System")
    moment = entry_moment(entry, samples.NOW)
    assert moment.text
    assert "entry 7" in moment.small


@pytest.mark.parametrize("action", ACTIONS)
@given(value=st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=3)))
def test_known_actions_bear_strange_facts(action: str, value: object) -> None:
    facts = {"cents": value, "reason_code": value}
    assert entry_words(decode(samples.leaf(action, facts).encode()))


def test_an_entry_that_cannot_be_read_says_so() -> None:
    moment = entry_moment(TimelineEntry(index=3, leaf="{}", actor_name="x"), samples.NOW)
    assert moment.text == "This entry cannot be read"
    assert moment.tone == "danger"


def test_every_reason_has_words() -> None:
    assert set(REASONS) == set(ReasonCode)
    assert set(REJECT_REASONS) < set(ReasonCode)
    assert reason_words("no_payment_found") == "No payment found at the bank"
    assert reason_words(None) == ""


@pytest.mark.parametrize("status", list(EnrollmentStatus))
def test_how_a_row_ended(status: EnrollmentStatus) -> None:
    row = samples.row(1, waiting=False, status=status)
    kind, words = ending_words(row, samples.NOW)
    assert kind in {"ok", "info", "warn"}
    assert "by T. Mokoena, " in words


def test_the_difference_names_what_changed_and_nothing_else() -> None:
    before, now = samples.row(2), samples.row(2, version=3, claim_cents=400_000)
    assert difference(before, now) == (("Amount", "R\u00a04\u00a0500.00", "R\u00a04\u00a0000.00"),)
    assert difference(before, before) == ()


def test_what_changed_since_is_what_raised_the_version() -> None:
    def entry(index: int, before: int, after: int) -> TimelineEntry:
        made = samples.leaf("card.failed", before=before, after=after)
        return TimelineEntry(index=index, leaf=made, actor_name="x")

    seen, refused = entry(1, 1, 2), entry(5, 4, 4)
    unreadable = TimelineEntry(index=6, leaf="{}", actor_name="x")
    first, second = entry(2, 2, 3), entry(4, 3, 4)
    timeline = (first, seen, unreadable, second, refused)
    assert changes_since(timeline, 2) == [second, first]
    assert changes_since(timeline, 4) == []


def test_small_words() -> None:
    minute = 60
    ages = {
        0: "now", 59: "now", minute: "1 min", 59 * minute: "59 min", 60 * minute: "1 h",
        23 * 60 * minute: "23 h", 24 * 60 * minute: "1 day", 49 * 60 * minute: "2 days",
    }  # fmt: skip
    for seconds, words in ages.items():
        assert age_words(timedelta(seconds=seconds)) == words
    assert whole(12_345) == "12\u00a0345"
    assert counted(1, "decision", "decisions") == "1 decision"
    assert counted(2, "decision", "decisions") == "2 decisions"


def test_a_withdrawal_that_came_too_late_says_so() -> None:
    refused = samples.leaf("withdrawal.refused", {"code": "already_decided"})
    assert entry_words(decode(refused.encode())) == "Withdrawal refused: carried out before"
