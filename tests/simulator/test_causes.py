"""The rules that are told once more find every refusal without a cause, and everything that was
carried out against them: code by code, over the ledger of a world that was played."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.backend.storage.engine import read_transaction
from tests.simulator.causes import CAUSES, TOO_OLD, WITHDRAWAL_CAUSES, not_permitted, without_cause
from tests.simulator.play import Stage
from tests.simulator.truth import REFUSED, WITHDRAWAL_REFUSED, WITHDRAWN, Entry, Truth, read_truth

SEEDS = range(4)


@pytest.fixture(scope="module")
def truths(stage: Stage) -> list[Truth]:
    """What the ledgers of some worlds said at the end."""
    found = []
    for seed in SEEDS:
        stage.play(seed)
        with read_transaction(stage.engine) as connection:
            found.append(read_truth(connection))
    return found


def _with(truth: Truth, index: int, entry: Entry) -> Truth:
    """The same ledger, but for one entry, behind which nothing follows."""
    return replace(truth, entries=[*truth.entries[:index], entry])


def _refused(entry: Entry, code: str) -> Entry:
    action = REFUSED if entry.kind == "decision" else WITHDRAWAL_REFUSED
    return replace(entry, action=action, facts={**entry.facts, "code": code})


def _carried_out(truths: list[Truth], kind: str) -> list[tuple[Truth, int, Entry]]:
    return [
        (truth, index, entry)
        for truth in truths
        for index, entry in enumerate(truth.entries)
        if entry.kind == kind and not _is_no(entry)
    ]


@pytest.mark.parametrize("code", [*CAUSES, TOO_OLD, "whatever"])
def test_no_decision_that_was_carried_out_could_have_been_refused(
    truths: list[Truth], code: str
) -> None:
    decisions = _carried_out(truths, "decision")
    assert decisions
    for truth, index, entry in decisions:
        assert without_cause(_with(truth, index, entry)) is None
        assert code in str(without_cause(_with(truth, index, _refused(entry, code))))


@pytest.mark.parametrize("code", [*WITHDRAWAL_CAUSES, "whatever"])
def test_no_withdrawal_that_was_entered_could_have_been_refused(
    truths: list[Truth], code: str
) -> None:
    withdrawals = _carried_out(truths, "withdrawal")
    assert withdrawals
    for truth, index, entry in withdrawals:
        assert code in str(without_cause(_with(truth, index, _refused(entry, code))))


def test_nothing_that_was_refused_could_have_been_carried_out(truths: list[Truth]) -> None:
    refused = [(truth, i, e) for truth in truths for i, e in enumerate(truth.entries) if _is_no(e)]
    assert refused
    for truth, index, entry in refused:
        action = "enrollment.approved" if entry.action == REFUSED else WITHDRAWN
        assert without_cause(truth) is None
        assert not_permitted(_with(truth, index, replace(entry, action=action)))


def _is_no(entry: Entry) -> bool:
    return entry.action in {REFUSED, WITHDRAWAL_REFUSED}
