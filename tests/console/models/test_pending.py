"""What the pending list's cells say."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from PySide6.QtCore import QModelIndex, Qt

from console.models.overlay import Overlay, Progress
from console.models.pending import Column, PendingModel
from console.roles import CellRole
from core.domain.decisions import Verdict
from core.domain.money import format_rand
from core.domain.references import show_reference
from tests.console import samples


def model_of(count: int) -> PendingModel:
    model = PendingModel(samples.clock)
    model.replace(samples.rows(count))
    return model


def cell(model: PendingModel, key: UUID, column: Column, role: int = 0) -> object:
    row = model.row_of(key)
    assert row is not None
    return model.index(row, column).data(role)


def test_a_row_shows_its_facts() -> None:
    model, row = model_of(4), samples.row(2)
    assert cell(model, row.enrollment, Column.REFERENCE) == show_reference(row.reference)
    assert cell(model, row.enrollment, Column.STUDENT) == row.student.name
    assert cell(model, row.enrollment, Column.COURSE) == row.course_title
    assert cell(model, row.enrollment, Column.METHOD) == "EFT"
    assert cell(model, row.enrollment, Column.AMOUNT) == format_rand(row.amount_cents)
    assert cell(model, row.enrollment, Column.AGE) == "14 min"
    assert cell(model, row.enrollment, Column.STATE) == "Waiting"
    assert cell(model, row.enrollment, Column.AMOUNT, CellRole.SORT) == row.amount_cents
    assert cell(model, row.enrollment, Column.STATE, CellRole.VALUE) == row


def test_what_waits_too_long_is_amber_and_has_a_drawing() -> None:
    model = PendingModel(samples.clock)
    old, young = samples.row(1, age=timedelta(days=2)), samples.row(2)
    model.replace((old, young))
    assert cell(model, old.enrollment, Column.AGE, CellRole.TONE) == "warn"
    assert cell(model, old.enrollment, Column.AGE, CellRole.ICON) == "hourglass"
    assert cell(model, young.enrollment, Column.AGE, CellRole.TONE) == "text_muted"
    assert cell(model, young.enrollment, Column.AGE, CellRole.ICON) is None


def test_the_amount_shown_is_the_claims() -> None:
    model = PendingModel(samples.clock)
    row = samples.row(1, cents=500_000, claim_cents=400_000)
    model.replace((row,))
    assert cell(model, row.enrollment, Column.AMOUNT) == format_rand(400_000)
    assert model.total == 400_000


def test_a_snapshot_replaces_and_an_older_row_is_dropped() -> None:
    model = model_of(3)
    model.replace((samples.row(1, version=5), samples.row(7), samples.row(8, waiting=False)))
    assert model.count == 2
    model.apply((samples.row(1, version=4, cents=1),))
    held = model.row(samples.row(1).enrollment)
    assert held is not None
    assert held.version == 5
    model.apply((samples.approved(held),))
    assert model.count == 1


def test_new_rows_are_marked_until_they_settle() -> None:
    model = model_of(2)
    assert model.fresh == frozenset()
    new = samples.row(5)
    model.apply((new,))
    assert model.fresh == {new.enrollment}
    assert cell(model, new.enrollment, Column.STATE) == "New"
    assert cell(model, new.enrollment, Column.STATE, CellRole.FRESH) is True
    model.settle([new.enrollment])
    assert cell(model, new.enrollment, Column.STATE) == "Waiting"
    model.apply((samples.row(5, version=9),))
    assert model.fresh == frozenset()  # a change is not an arrival


def test_the_own_decision_lies_over_the_row() -> None:
    model, row = model_of(3), samples.row(1)
    changed: list[int] = []
    model.dataChanged.connect(lambda top, _bottom: changed.append(top.row()))
    overlay = Overlay(Verdict.APPROVE, Progress.WAITING, "The backend cannot be reached.")
    model.set_overlays({row.enrollment: overlay}, [row.enrollment])
    assert changed == [model.row_of(row.enrollment)]
    assert cell(model, row.enrollment, Column.STATE) == "Approval waits"
    assert cell(model, row.enrollment, Column.STATE, CellRole.ICON) == "hourglass"
    assert cell(model, row.enrollment, Column.STUDENT, CellRole.DIMMED) is True
    tip = cell(model, row.enrollment, Column.STATE, Qt.ItemDataRole.ToolTipRole)
    assert tip == "The backend cannot be reached."
    model.set_overlays({}, [row.enrollment])
    assert cell(model, row.enrollment, Column.STATE) == "Waiting"


def test_one_of_two_signatures_is_told() -> None:
    model, row = PendingModel(samples.clock), samples.row(3, signed_by=samples.OTHER)
    model.replace((row,))
    assert cell(model, row.enrollment, Column.STATE) == "1 of 2 signed"


def test_ages_follow_the_clock() -> None:
    now = samples.NOW
    model = PendingModel(lambda: now)
    model.replace((samples.row(0),))
    assert model.index(0, Column.AGE).data() == "now"
    now += timedelta(hours=3)
    model.tick()
    assert model.index(0, Column.AGE).data() == "3 h"


def test_no_cell_can_fail() -> None:
    model = model_of(2)
    outside = model.createIndex(77, 3)
    for role in (*range(20), *CellRole, 999):
        for column in Column:
            model.index(0, column).data(role)
        assert outside.data(role) is None
        assert model.data(QModelIndex(), role) is None


@pytest.mark.parametrize("column", list(Column))
def test_every_column_has_a_title_and_speaks(column: Column) -> None:
    model = model_of(1)
    title = model.headerData(column, Qt.Orientation.Horizontal)
    assert title == column.title
    spoken = model.index(0, column).data(Qt.ItemDataRole.AccessibleTextRole)
    assert str(spoken).startswith(f"{column.title}: ")


def test_a_reference_is_found() -> None:
    model, row = model_of(5), samples.row(3)
    assert model.find(row.reference) == row.enrollment
    assert model.find("nothing") is None


@pytest.mark.parametrize("typed", ["naledi", "K333", "r333", "1 250", "eft book"])
def test_the_filter_knows_no_case(typed: str) -> None:
    model = model_of(13)
    model.set_filter(typed.lower())
    lower = model.rowCount()
    model.set_filter(typed.upper())
    assert model.rowCount() == lower


def test_a_reference_is_found_with_and_without_its_hyphen() -> None:
    model, row = model_of(13), samples.row(4)
    for typed in (row.reference, show_reference(row.reference)):
        model.set_filter(typed)
        assert [model.key_at(0)] == [row.enrollment]
        assert model.rowCount() == 1
