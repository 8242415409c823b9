"""Decisions and withdrawals of one device in any order, any number of times, from any old copy.

Whatever arrives: of each number at most one decision is carried out, never one that was withdrawn
before, and what the console was told is what the ledger says.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.backend.services.approval import AdminApprovalWorkflow
from core.backend.services.container import build
from core.ledger.leaf import Leaf
from core.protocol.messages import AnswerKind, DecisionAnswer, DecisionBatch, SignedDecision
from core.protocol.signing import read_decision
from tests.support.live_template import Template
from tests.support.workspace import Clock, House, Officer, altered, house_config

KIND = AnswerKind
NUMBERS = 3
# Of each number: a decision, one about the same from an old copy, and two withdrawals of each.
PARTS = ("decision", "twin", "withdrawal", "withdrawal again", "twin's withdrawal", "stale")
ARRIVALS = st.lists(
    st.lists(
        st.tuples(st.integers(0, NUMBERS - 1), st.sampled_from(PARTS)), min_size=1, max_size=6
    ),
    min_size=1,
    max_size=5,
)


@dataclass(frozen=True)
class Kit:
    """Everything that a device could ever send under one number."""

    parts: dict[str, SignedDecision]
    subject: str

    def about(self, leaves: list[Leaf]) -> list[Leaf]:
        payloads = {item.payload.encode() for item in self.parts.values()}
        return [leaf for leaf in leaves if leaf.signed and leaf.signed.payload in payloads]


@pytest.fixture
def machine(live_template: Template, tmp_path: Path) -> Iterator[tuple[House, Officer]]:
    live_template.copy_to(tmp_path / "h")
    clock = Clock()
    services = build(house_config(tmp_path / "h", clock))
    house = House(services, live_template, clock, itertools.count(1))
    try:
        yield house, asyncio.run(house.officer())
    finally:
        services.close()


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(arrivals=ARRIVALS)
def test_one_of_carried_out_and_withdrawn(
    machine: tuple[House, Officer], arrivals: list[list[tuple[int, str]]]
) -> None:
    house, officer = machine
    asyncio.run(_one_example(house, officer, arrivals))


async def _one_example(
    house: House, officer: Officer, arrivals: list[list[tuple[int, str]]]
) -> None:
    kits = [await _kit(house, officer) for _ in range(NUMBERS)]
    begin = house.size()
    told: dict[object, list[DecisionAnswer]] = {}
    for arrival in arrivals:
        items = [kits[number].parts[part] for number, part in arrival]
        for answer in await _decide(house.services.approval, officer, items):
            told.setdefault(answer.id, []).append(answer)
    leaves = house.leaves()[begin:]
    for kit in kits:
        _agree(kit, kit.about(leaves), told, begin)
    house.verify()


async def _kit(house: House, officer: Officer) -> Kit:
    row = await house.row(await house.claim())
    decision = officer.sign(row)
    number = read_decision(decision.payload.encode()).n
    twin = altered(officer, officer.sign(row), n=number)
    withdraw = officer.device.withdrawal
    items = (
        decision, twin, withdraw(decision), withdraw(decision), withdraw(twin),
        altered(officer, officer.sign(row), n=number, expected_version=1),
    )  # fmt: skip
    return Kit(dict(zip(PARTS, items, strict=True)), f"enrollment:{row.enrollment}")


async def _decide(
    approval: AdminApprovalWorkflow, officer: Officer, items: list[SignedDecision]
) -> tuple[DecisionAnswer, ...]:
    return (await approval.decide(officer.identity, DecisionBatch(items=tuple(items)))).results


def _agree(
    kit: Kit, leaves: list[Leaf], told: dict[object, list[DecisionAnswer]], begin: int
) -> None:
    by_payload = {item.payload.encode(): item for item in kit.parts.values()}
    withdrawn: set[object] = set()
    applied: list[object] = []
    for leaf in leaves:
        assert leaf.signed is not None
        item = by_payload.pop(leaf.signed.payload)  # each item is at most one entry
        (first, *again) = told[item.id]
        assert all(_without_row(answer) == _without_row(first) for answer in again)
        if leaf.action == "enrollment.approved":
            applied.append(item.id)
            assert not withdrawn
            assert (first.kind, first.code) == (KIND.ACCEPTED, "accepted")
        elif leaf.action == "decision.withdrawn":
            withdrawn.add(leaf.facts["decision"])
            assert (first.kind, first.code) == (KIND.ACCEPTED, "withdrawn")
            assert not applied
        else:
            assert leaf.action in {"decision.refused", "withdrawal.refused"}
            assert first.kind not in {KIND.ACCEPTED, KIND.TRANSIENT}
            assert leaf.facts["code"] == first.code
    assert len(applied) <= 1
    assert not any(item.id in told for item in by_payload.values())  # nothing was silent
    _says_what_happened(kit, told, applied, begin)


def _says_what_happened(
    kit: Kit, told: dict[object, list[DecisionAnswer]], applied: list[object], begin: int
) -> None:
    """A withdrawal that came too late points at the entry that was first."""
    for part in ("withdrawal", "withdrawal again", "twin's withdrawal"):
        decision = kit.parts["twin" if part.startswith("twin") else "decision"]
        for answer in told.get(kit.parts[part].id, ()):
            assert (answer.code == "already_decided") == (applied == [decision.id])
            if answer.code == "already_decided":
                assert answer.index is not None
                assert answer.index >= begin
                assert answer.index == told[decision.id][0].index


def _without_row(answer: DecisionAnswer) -> DecisionAnswer:
    """The row is what the enrollment is at that time."""
    return answer.model_copy(update={"row": None})
