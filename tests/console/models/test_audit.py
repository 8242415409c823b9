"""The audit model: many lines, few pages."""

from __future__ import annotations

import pytest
from pytestqt.modeltest import ModelTester

from console.models.audit import PAGES_HELD, AuditModel, Column
from core.protocol.messages import AUDIT_PAGE_ROWS, AuditEntry, AuditOutline
from tests.console import samples
from tests.console.trail import entry


def dense(size: int) -> AuditModel:
    model = AuditModel(samples.clock)
    model.open(
        AuditOutline(size=size, total=size, starts=(), next_before=None, subject=None),
        filtered=False,
    )
    return model


def page(number: int, size: int) -> list[AuditEntry]:
    first = size - 1 - number * AUDIT_PAGE_ROWS
    return [entry(index, size) for index in range(first, max(first - AUDIT_PAGE_ROWS, -1), -1)]


def index_at(model: AuditModel, row: int) -> int | None:
    found = model.entry_at(row)
    return None if found is None else found.index


def test_it_keeps_the_rules_of_models(qtmodeltester: ModelTester) -> None:
    model = dense(250)
    qtmodeltester.check(model)  # type: ignore[no-untyped-call]  # pytest-qt has no types there
    model.put_page(0, page(0, 250))
    model.bring([entry(252, 253), entry(251, 253), entry(250, 253)])
    model.put_page(2, page(2, 250))
    qtmodeltester.check(model)  # type: ignore[no-untyped-call]  # pytest-qt has no types there
    assert model.rowCount() == 253


def test_rows_and_pages_fit_whatever_came_in_above() -> None:
    model = dense(250)
    assert model.missing(0, 20) == 0
    assert model.before(0) == 250
    model.put_page(0, page(0, 250))
    assert model.missing(0, 99) is None
    assert model.missing(0, 100) == 1
    model.bring([entry(252, 253), entry(251, 253), entry(250, 253)])
    assert [index_at(model, row) for row in (0, 1, 2, 3, 102, 103)] == [
        252,
        251,
        250,
        249,
        150,
        None,
    ]
    assert model.missing(0, 102) is None
    assert model.missing(0, 103) == 1
    assert model.before(1) == 150
    model.put_page(2, page(2, 250))
    assert index_at(model, 252) == 0
    assert model.entry_at(253) is None
    assert model.missing(200, 9_999) == 1  # rows beyond the end are no rows


def test_filtered_pages_begin_where_the_outline_says() -> None:
    model = AuditModel(samples.clock)
    model.open(
        AuditOutline(size=900, total=150, starts=(880, 401), next_before=77, subject=None),
        filtered=True,
    )
    assert (model.before(0), model.before(1)) == (881, 402)
    assert model.next_before == 77
    model.extend(AuditOutline(size=900, total=30, starts=(70,), next_before=None, subject=None))
    assert model.is_all
    assert model.rowCount() == 180
    assert model.index(120, Column.ENTRY).data() == ""  # not known before its page is there


def test_only_some_pages_are_held() -> None:
    size = AUDIT_PAGE_ROWS * (PAGES_HELD + 5)
    model = dense(size)
    for number in range(PAGES_HELD):
        model.put_page(number, page(number, size))
    assert index_at(model, 0) == size - 1  # looked at: not the one that goes
    model.put_page(PAGES_HELD, page(PAGES_HELD, size))
    assert len(model.pages_held) == PAGES_HELD
    assert 0 in model.pages_held
    assert 1 not in model.pages_held


def test_an_entry_that_cannot_be_read_has_a_line() -> None:
    model = dense(1)
    odd = AuditEntry(index=0, leaf="{}", actor_name="Somebody", about="", reference=None)
    model.put_page(0, [odd])
    assert model.index(0, Column.WHAT).data() == "This entry cannot be read"
    assert model.index(0, Column.TIME).data() == ""


@pytest.mark.parametrize("row", [-1, 5])
def test_no_row_no_entry(row: int) -> None:
    assert dense(5).entry_at(row) is None
