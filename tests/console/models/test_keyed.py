"""The live table's model against a plain sorted list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPersistentModelIndex, Qt
from pytestqt.modeltest import ModelTester

from console.models.keyed import RESET_ABOVE
from console.models.pending import Column, PendingModel, pending_line
from console.roles import CellRole
from core.protocol.messages import EnrollmentRow
from tests.console import samples

NAMES = ("Ann", "Bob", "ann", "Čapek", "Zanele")


@dataclass(frozen=True)
class Put:
    number: int
    minutes: int
    cents: int
    name: str

    def row(self) -> EnrollmentRow:
        return samples.row(
            self.number, age=timedelta(minutes=self.minutes), cents=self.cents, name=self.name
        )


@dataclass(frozen=True)
class Batch:
    puts: tuple[Put, ...]
    removed: tuple[int, ...]


@dataclass(frozen=True)
class Sort:
    column: Column
    descending: bool


@dataclass(frozen=True)
class Filter:
    text: str


numbers = st.integers(0, 14)
puts = st.builds(
    Put,
    number=numbers,
    minutes=st.integers(0, 5),
    cents=st.sampled_from((0, 5_000, 125_000)),
    name=st.sampled_from(NAMES),
)
edits = st.one_of(
    st.builds(
        Batch,
        puts=st.lists(puts, max_size=4).map(tuple),
        removed=st.lists(numbers, max_size=3).map(tuple),
    ),
    st.builds(Sort, column=st.sampled_from(Column), descending=st.booleans()),
    st.builds(Filter, text=st.sampled_from(("", "a", "an", "ann", "bob ", "1250.00 e", "nothing"))),
)


class Plain:
    """What the model should show, in the plainest way."""

    def __init__(self) -> None:
        self.rows: dict[UUID, EnrollmentRow] = {}
        self.sort = Sort(Column.AGE, descending=False)
        self.filter = ""

    def apply(self, edit: Batch) -> None:
        for number in edit.removed:
            self.rows.pop(samples.row(number).enrollment, None)
        for put in edit.puts:
            self.rows[put.row().enrollment] = put.row()

    def shown(self) -> list[UUID]:
        def by(row: EnrollmentRow) -> tuple[Any, int]:
            return pending_line(row).sort[self.sort.column], row.enrollment.int

        words = self.filter.casefold().split()
        matching = [
            row
            for row in self.rows.values()
            if all(word in pending_line(row).haystack for word in words)
        ]
        ordered = sorted(matching, key=by, reverse=self.sort.descending)
        return [row.enrollment for row in ordered]


def shown(model: PendingModel) -> list[UUID]:
    keys = (model.index(row, 0).data(CellRole.KEY) for row in range(model.rowCount()))
    return list(keys)


def play(model: PendingModel, plain: Plain, edit: Batch | Sort | Filter) -> None:
    if isinstance(edit, Batch):
        lines = {put.number: pending_line(put.row()) for put in edit.puts}
        removed = [samples.row(number).enrollment for number in edit.removed]
        model.apply_lines(tuple(lines.values()), removed)
        plain.apply(edit)
    elif isinstance(edit, Sort):
        order = Qt.SortOrder.DescendingOrder if edit.descending else Qt.SortOrder.AscendingOrder
        model.sort(edit.column, order)
        plain.sort = edit
    else:
        model.set_filter(edit.text)
        plain.filter = edit.text


def is_reset(edit: Batch | Sort | Filter) -> bool:
    return isinstance(edit, Filter)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(script=st.lists(edits, max_size=14))
def test_any_edits_leave_what_a_plain_sorted_list_would(
    qtmodeltester: ModelTester, script: list[Batch | Sort | Filter]
) -> None:
    model, plain = PendingModel(samples.clock), Plain()
    qtmodeltester.check(model)  # type: ignore[no-untyped-call]  # pytest-qt has no types here; stays attached, and judges every signal of the model
    for edit in script:
        followed = {
            key: QPersistentModelIndex(model.index(n, 0)) for n, key in enumerate(shown(model))
        }
        play(model, plain, edit)
        assert shown(model) == plain.shown()
        assert model.count == len(plain.rows)
        expected = sum(pending_line(plain.rows[key]).weight for key in plain.shown())
        assert model.total == expected
        for row, key in enumerate(plain.shown()):
            assert model.row_of(key) == row
            assert model.key_at(row) == key
            # Moves and sorts must carry selections along: what still is shown kept its index.
            if key in followed and not is_reset(edit) and followed[key].isValid():
                assert followed[key].row() == row


@given(put=puts)
def test_a_line_that_stays_shown_keeps_its_persistent_index(put: Put) -> None:
    model = PendingModel(samples.clock)
    model.apply_lines([pending_line(row) for row in samples.rows(8)], ())
    key = put.row().enrollment
    before = model.row_of(key)
    held = (
        QPersistentModelIndex() if before is None else QPersistentModelIndex(model.index(before, 0))
    )
    model.apply_lines([pending_line(put.row())], ())
    if before is not None:
        assert held.isValid()
        assert held.row() == model.row_of(key)
    model.sort(Column.AMOUNT, Qt.SortOrder.DescendingOrder)
    if before is not None:
        assert held.row() == model.row_of(key)


def test_a_large_batch_is_one_reset() -> None:
    model = PendingModel(samples.clock)
    resets: list[int] = []
    model.modelReset.connect(lambda: resets.append(1))
    model.apply_lines([pending_line(row) for row in samples.rows(RESET_ABOVE + 1)], ())
    assert resets == [1]
    assert model.rowCount() == RESET_ABOVE + 1


def test_a_filter_that_grows_looks_only_at_what_is_shown() -> None:
    model = PendingModel(samples.clock)
    model.apply_lines([pending_line(row) for row in samples.rows(24)], ())
    model.set_filter("na")
    narrow = shown(model)
    model.set_filter("naledi")
    assert set(shown(model)) < set(narrow)
    model.set_filter("")
    assert model.rowCount() == 24


@pytest.mark.parametrize("row", [-1, 3, 10**6])
def test_a_row_that_is_not_there_has_no_key(row: int) -> None:
    model = PendingModel(samples.clock)
    model.apply_lines([pending_line(one) for one in samples.rows(3)], ())
    assert model.key_at(row) is None


def test_sorting_by_no_column_changes_nothing() -> None:
    model = PendingModel(samples.clock)
    model.apply_lines([pending_line(one) for one in samples.rows(3)], ())
    before = shown(model)
    model.sort(-1)
    model.sort(99)
    assert shown(model) == before
