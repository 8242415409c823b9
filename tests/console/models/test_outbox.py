"""The outbox's model against a plain list, and what its cells say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from pytestqt.modeltest import ModelTester

from console.models.outbox import Column, OutboxModel, Standing, outbox_line
from console.roles import CellRole
from console.views.outbox_words import Group, OutboxRow
from core.client.outbox import OutboxItem, OutboxState
from core.domain.decisions import Verdict
from core.protocol.messages import AnswerKind
from tests.console import samples

STATES = tuple(OutboxState)


@dataclass(frozen=True)
class Told:
    """Items as they came, in this order."""

    items: tuple[OutboxItem, ...]
    all_of_them: bool = False


@dataclass(frozen=True)
class Sort:
    column: Column
    descending: bool


@dataclass(frozen=True)
class Show:
    group: Group | None


@dataclass(frozen=True)
class Filter:
    text: str


def decision(number: int, state: OutboxState, minutes: int, *, dismissed: bool) -> OutboxItem:
    return samples.item(
        samples.row(number),
        n=number,
        state=state,
        age=timedelta(minutes=minutes),
        dismissed=dismissed,
        verdict=Verdict.REJECT if number % 3 == 0 else Verdict.APPROVE,
    )


def take_back(number: int, state: OutboxState) -> OutboxItem:
    before = decision(number, OutboxState.WITHDRAWN, number, dismissed=False)
    return samples.withdrawal(before, state=state)


numbers = st.integers(0, 9)
decisions = st.builds(
    decision, numbers, st.sampled_from(STATES), st.integers(0, 4), dismissed=st.booleans()
)
items = st.one_of(decisions, st.builds(take_back, numbers, st.sampled_from(STATES)))
edits = st.one_of(
    st.builds(Told, items=st.lists(items, max_size=5).map(tuple), all_of_them=st.booleans()),
    st.builds(Sort, column=st.sampled_from(Column), descending=st.booleans()),
    st.builds(Show, group=st.sampled_from((None, *Group))),
    st.builds(Filter, text=st.sampled_from(("", "a", "approve", "reject 1250.00", "nothing"))),
)


class Plain:
    """What the model should show, in the plainest way."""

    def __init__(self) -> None:
        self.items: dict[UUID, OutboxItem] = {}
        self.sort = Sort(Column.STATE, descending=False)
        self.group: Group | None = None
        self.filter = ""

    def rows(self) -> list[OutboxRow]:
        by_decision = {one.withdraws: one for one in self.items.values() if one.withdraws}
        return [
            OutboxRow(one, by_decision.get(one.id))
            for one in self.items.values()
            if one.withdraws is None or one.withdraws not in self.items
        ]

    def shown(self) -> list[UUID]:
        def by(row: OutboxRow) -> tuple[Any, int]:
            return outbox_line(row).sort[self.sort.column], row.key.int

        words = self.filter.split()
        matching = [
            row
            for row in self.rows()
            if self.group in {None, row.group}
            and all(word in outbox_line(row).haystack for word in words)
        ]
        return [row.key for row in sorted(matching, key=by, reverse=self.sort.descending)]


def shown(model: OutboxModel) -> list[UUID]:
    return [model.index(row, 0).data(CellRole.KEY) for row in range(model.rowCount())]


def play(model: OutboxModel, plain: Plain, edit: Told | Sort | Show | Filter) -> None:
    if isinstance(edit, Told):
        if edit.all_of_them:
            plain.items = {}
            model.set_items(edit.items)
        else:
            model.items_changed(edit.items)
        plain.items |= {one.id: one for one in edit.items}
    elif isinstance(edit, Sort):
        order = Qt.SortOrder.DescendingOrder if edit.descending else Qt.SortOrder.AscendingOrder
        model.sort(edit.column, order)
        plain.sort = edit
    elif isinstance(edit, Show):
        model.show_group(edit.group)
        plain.group = edit.group
    else:
        model.set_filter(edit.text)
        plain.filter = edit.text


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(script=st.lists(edits, max_size=12))
def test_any_changes_leave_what_a_plain_list_would(
    qtmodeltester: ModelTester, script: list[Told | Sort | Show | Filter]
) -> None:
    model, plain = OutboxModel(samples.clock), Plain()
    qtmodeltester.check(model)  # type: ignore[no-untyped-call]  # pytest-qt has no types here; stays attached, and judges every signal of the model
    for edit in script:
        followed = {
            key: QPersistentModelIndex(model.index(n, 0)) for n, key in enumerate(shown(model))
        }
        play(model, plain, edit)
        assert shown(model) == plain.shown()
        groups = [row.group for row in plain.rows()]
        assert model.sizes() == {group: groups.count(group) for group in Group}
        assert model.standing().waiting == groups.count(Group.WAITING)
        for row, key in enumerate(plain.shown()):
            held = model.row(key)
            assert held in plain.rows()
            assert model.row_of(key) == row
            # Changes and sorts must carry selections along: what still is shown kept its index.
            if key in followed and not isinstance(edit, Filter) and followed[key].isValid():
                assert followed[key].row() == row


def model_of(*items: OutboxItem) -> OutboxModel:
    model = OutboxModel(samples.clock)
    model.set_items(items)
    model.sort(Column.STATE)
    return model


def cell(model: OutboxModel, key: UUID, column: Column, role: int = 0) -> object:
    row = model.row_of(key)
    assert row is not None
    return model.index(row, column).data(role)


def test_a_row_knows_that_an_earlier_key_signed_it() -> None:
    own, earlier = samples.item(samples.row(1)), samples.item(samples.row(2), n=2)
    model = OutboxModel(samples.clock, device=own.device)
    model.set_items((own, replace(earlier, device=UUID(int=1))))
    assert [row.earlier_key for row in model.rows()] == [False, True]


def test_a_line_shows_state_age_reference_decision_amount_and_answer() -> None:
    item = samples.item(
        samples.row(1),
        verdict=Verdict.REJECT,
        age=timedelta(minutes=12),
        code="unreachable",
        message="The backend cannot be reached.",
        attempts=3,
    )
    model = model_of(item)
    words = [str(cell(model, item.id, column)) for column in Column]
    assert words[:2] == ["Waiting", "12 min"]
    assert words[3:] == ["Reject", "R\u00a02\u00a0899.50", "The backend cannot be reached."]
    assert cell(model, item.id, Column.STATE, CellRole.ICON) == "hourglass"
    assert cell(model, item.id, Column.STATE, CellRole.TONE) == "warn"
    assert cell(model, item.id, Column.AMOUNT, CellRole.SORT) == 289_950
    spoken = cell(model, item.id, Column.ANSWER, Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Reason or answer: The backend cannot be reached."
    tooltip = str(cell(model, item.id, Column.AGE, Qt.ItemDataRole.ToolTipRole))
    assert tooltip.startswith("Decided 04 March 2026")


def test_what_needs_somebody_comes_first_then_who_waits_longest_then_the_newest_done() -> None:
    row = samples.row(1)
    old, young = (
        samples.item(row, n=n, age=timedelta(minutes=minutes)) for n, minutes in ((1, 9), (2, 3))
    )
    stuck = samples.item(row, n=3, state=OutboxState.NEEDS_PERSON)
    done = [
        replace(
            samples.answered(samples.item(row, n=n), AnswerKind.ACCEPTED),
            settled_at=samples.NOW - timedelta(minutes=n),
        )
        for n in (4, 5)
    ]
    model = model_of(*done, young, old, stuck)
    assert shown(model) == [stuck.id, old.id, young.id, done[0].id, done[1].id]


def test_a_withdrawal_is_told_in_the_line_of_its_decision() -> None:
    decided = samples.item(samples.row(1), state=OutboxState.WITHDRAWN)
    back = samples.withdrawal(decided)
    model = model_of(decided, back)
    assert shown(model) == [decided.id]
    assert cell(model, decided.id, Column.STATE) == "Withdrawing"
    model.item_changed(samples.answered(back, AnswerKind.ACCEPTED, code="withdrawn"))
    assert cell(model, decided.id, Column.STATE) == "Withdrawn"
    assert cell(model, decided.id, Column.ANSWER) == "The withdrawal is on the ledger: entry 9"
    assert cell(model, decided.id, Column.STATE, CellRole.DIMMED) is True


def test_a_withdrawal_whose_decision_comes_later_gives_up_its_own_line() -> None:
    decided = samples.item(samples.row(1), state=OutboxState.WITHDRAWN)
    back = samples.withdrawal(decided)
    model = model_of(back)
    assert shown(model) == [back.id]
    model.item_changed(decided)
    assert shown(model) == [decided.id]


def test_count_age_and_needs_are_told_for_the_status_bar() -> None:
    assert model_of().standing() == Standing()
    row = samples.row(1)
    first = samples.item(row, n=1, age=timedelta(minutes=9))
    held = samples.item(row, n=2, code="sign_in_needed", age=timedelta(minutes=3))
    refused = samples.answered(samples.item(row, n=3), AnswerKind.REFUSED, "No.")
    read = replace(refused, id=UUID(int=5), dismissed=True)
    assert model_of(first, held, refused, read).standing() == Standing(
        waiting=2, oldest=samples.NOW - timedelta(minutes=9), needs_you=1, held=True
    )


def test_ages_become_other_words_as_time_passes() -> None:
    now = [samples.NOW]
    model = OutboxModel(lambda: now[0])
    item = samples.item(samples.row(1))
    model.set_items([item])
    told: list[object] = []
    model.dataChanged.connect(lambda *_: told.append(1))
    now[0] += timedelta(hours=3)
    model.tick()
    assert told
    assert cell(model, item.id, Column.AGE) == "3 h"


@pytest.mark.parametrize("column", [-1, len(Column)])
def test_there_is_no_title_beside_the_columns(column: int) -> None:
    model = model_of()
    assert model.headerData(column, Qt.Orientation.Horizontal) is None
    assert model.data(QModelIndex()) is None
