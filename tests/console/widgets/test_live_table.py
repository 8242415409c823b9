"""The table keeps its selection and its place; in a shown window, where things are laid out."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from console.models.pending import Column, PendingModel
from console.theme import Theme
from console.widgets.table import LiveTable
from core.protocol.messages import EnrollmentRow
from tests.console import samples


class Shown:
    """A shown table of 80 rows, an even number of minutes apart, the oldest first."""

    def __init__(self, theme: Theme) -> None:
        self.model = PendingModel(samples.clock)
        self.table = LiveTable(theme, self.model, name="Rows")
        self.table.sortByColumn(Column.AGE, Qt.SortOrder.AscendingOrder)
        self.model.replace([aged(number, 2 * number) for number in range(80)])
        self.table.resize(900, 400)
        self.table.show()
        QTest.qWaitForWindowExposed(self.table)
        self.told: list[UUID | None] = []
        self.table.current_changed.connect(self.told.append)

    def scroll_to_row(self, row: int, offset: int = 7) -> None:
        self.table.verticalScrollBar().setValue(row * 36 + offset)

    def top(self) -> tuple[UUID, int]:
        """The topmost visible row and where exactly it stands."""
        key = self.table.visible_keys()[0]
        row = self.model.row_of(key)
        assert row is not None
        return key, self.table.rowViewportPosition(row)

    def where(self, key: UUID) -> int:
        row = self.model.row_of(key)
        assert row is not None
        return self.table.rowViewportPosition(row)


def aged(number: int, minutes: int, **changes: int) -> EnrollmentRow:
    return samples.row(number, age=timedelta(minutes=minutes), **changes)  # type: ignore[arg-type]  # ints only


@pytest.fixture
def shown(theme: Theme, qtbot: QtBot) -> Shown:
    made = Shown(theme)
    qtbot.addWidget(made.table)
    return made


def test_rows_that_come_and_go_above_move_nothing(shown: Shown) -> None:
    shown.scroll_to_row(40)
    chosen = shown.table.visible_keys()[3]
    shown.table.select_key(chosen)
    top, at = shown.top()
    shown.model.apply([aged(number, 1_000 + number) for number in range(100, 130)])
    assert shown.table.visible_keys()[0] == top
    assert shown.where(top) == at
    assert shown.table.current_key == chosen
    gone = [samples.approved(aged(number, 1_000 + number)) for number in range(100, 125)]
    shown.model.apply(gone)
    assert shown.top() == (top, at)
    assert shown.table.current_key == chosen


def test_the_place_is_kept_when_the_top_row_itself_leaves(shown: Shown) -> None:
    shown.scroll_to_row(40)
    first, second = shown.table.visible_keys()[:2]
    at = shown.where(second)
    row = shown.model.row(first)
    assert row is not None
    shown.model.apply([samples.approved(row)])
    assert shown.where(second) == at


def test_a_snapshot_after_a_lost_connection_keeps_row_and_place(shown: Shown) -> None:
    shown.scroll_to_row(30)
    chosen = shown.table.visible_keys()[2]
    shown.table.select_key(chosen)
    top = shown.top()
    rows = [aged(number, 2 * number) for number in range(80) if number % 7 or number > 45]
    rows += [aged(number, 5_000 + number) for number in range(200, 900)]  # enough for a reset
    kept = {row.enrollment for row in rows}
    shown.model.replace(rows)
    assert shown.table.current_key == chosen
    if top[0] in kept:
        assert shown.top() == top


def test_a_changed_row_stays_current_where_it_moves(shown: Shown) -> None:
    shown.table.sortByColumn(Column.AMOUNT, Qt.SortOrder.AscendingOrder)
    chosen = shown.table.visible_keys()[1]
    shown.table.select_key(chosen)
    row = shown.model.row(chosen)
    assert row is not None
    number = chosen.int - 100_000
    shown.model.apply([aged(number, 3, version=9, cents=99_000_000)])
    assert shown.model.row_of(chosen) == 79
    assert shown.table.current_key == chosen


def test_when_the_current_row_leaves_no_other_takes_its_place(shown: Shown) -> None:
    chosen, below = shown.table.visible_keys()[4:6]
    shown.table.select_key(chosen)
    row = shown.model.row(chosen)
    assert row is not None
    shown.model.apply([samples.approved(row)])
    assert shown.table.current_key is None
    assert shown.told == [chosen, None]
    QTest.keyClick(shown.table, Qt.Key.Key_Down)
    assert shown.table.current_key == below


def test_the_arrow_up_goes_on_above_where_the_row_was(shown: Shown) -> None:
    above, chosen = shown.table.visible_keys()[3:5]
    shown.table.select_key(chosen)
    row = shown.model.row(chosen)
    assert row is not None
    shown.model.apply([samples.approved(row)])
    QTest.keyClick(shown.table, Qt.Key.Key_Up)
    assert shown.table.current_key == above


def test_keys_move_between_rows(shown: Shown) -> None:
    order = [shown.model.key_at(row) for row in range(80)]
    QTest.keyClick(shown.table, Qt.Key.Key_Down)
    assert shown.table.current_key == order[0]
    QTest.keyClick(shown.table, Qt.Key.Key_J)
    assert shown.table.current_key == order[1]
    QTest.keyClick(shown.table, Qt.Key.Key_K)
    assert shown.table.current_key == order[0]
    QTest.keyClick(shown.table, Qt.Key.Key_K)
    assert shown.table.current_key == order[0]
    QTest.keyClick(shown.table, Qt.Key.Key_End)
    assert shown.table.current_key == order[-1]
    assert order[-1] in shown.table.visible_keys()
    QTest.keyClick(shown.table, Qt.Key.Key_Home)
    assert shown.table.current_key == order[0]


def test_the_next_row_skips_what_is_on_its_way(shown: Shown) -> None:
    order = [key for row in range(80) if (key := shown.model.key_at(row)) is not None]
    shown.table.select_key(order[5])
    shown.table.select_next(skip={order[6], order[7]})
    assert shown.table.current_key == order[8]
    shown.table.select_key(order[79])
    shown.table.select_next(skip={order[78]})
    assert shown.table.current_key == order[77]


def test_a_filter_keeps_the_current_row_while_it_matches(shown: Shown) -> None:
    row = shown.model.row(shown.table.visible_keys()[3])
    assert row is not None
    shown.table.select_key(row.enrollment)
    shown.model.set_filter(row.student.name)
    assert shown.table.current_key == row.enrollment
    shown.model.set_filter(f"{row.student.name} and more")
    assert shown.table.current_key is None


def test_at_the_top_with_nothing_chosen_new_rows_come_into_view(shown: Shown) -> None:
    new = aged(300, 9_999)
    shown.model.apply([new])
    assert shown.table.visible_keys()[0] == new.enrollment


def test_it_says_when_it_has_painted(shown: Shown, qtbot: QtBot) -> None:
    with qtbot.waitSignal(shown.table.painted, timeout=5_000):
        shown.table.viewport().update()


def test_it_looks_right_in_both_themes(shown: Shown, theme: Theme) -> None:
    shown.table.select_key(shown.table.visible_keys()[1])
    image = shown.table.viewport().grab().toImage()
    selected = image.pixelColor(400, 36 + 2).name()
    assert selected == theme.colours.selection
    assert image.pixelColor(1, 36 + 18).name() in {
        theme.colours.accent,
        theme.colours.border_strong,
    }
    assert image.pixelColor(400, 35).name() == theme.colours.border
    assert image.pixelColor(400, 2 * 36 + 3).name() == theme.colours.surface_raised
