"""Tables over records: words, order, and lines that keep their place when records come again."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from PySide6.QtCore import Qt
from pytestqt.modeltest import ModelTester

from console.models.records import Cell, RecordColumn, RecordModel
from console.roles import CellRole


@dataclass(frozen=True)
class Fruit:
    key: UUID
    name: str
    weight: int


def fruit(number: int, name: str, weight: int) -> Fruit:
    return Fruit(UUID(int=number), name, weight)


def model() -> RecordModel[Fruit]:
    columns: tuple[RecordColumn[Fruit], ...] = (
        RecordColumn("Name", lambda one: Cell(one.name, icon="check", tone="ok")),
        RecordColumn("Weight", lambda one: Cell(f"{one.weight} g", one.weight), right=True),
    )
    return RecordModel(columns, key=lambda one: one.key, dimmed=lambda one: one.weight == 0)


FRUITS = (fruit(1, "plum", 40), fruit(2, "Apple", 9), fruit(3, "melon", 0))


def names(of: RecordModel[Fruit]) -> list[str]:
    return [str(of.index(row, 0).data()) for row in range(of.rowCount())]


def test_words_are_sorted_without_regard_to_case_and_numbers_as_numbers() -> None:
    made = model()
    made.show(FRUITS)
    made.sort(0)
    assert names(made) == ["Apple", "melon", "plum"]
    made.sort(1, Qt.SortOrder.DescendingOrder)
    assert names(made) == ["plum", "Apple", "melon"]


def test_a_cell_has_its_drawing_its_side_and_is_spoken_with_its_title() -> None:
    made = model()
    made.show(FRUITS[:1])
    name, weight = made.index(0, 0), made.index(0, 1)
    assert (name.data(CellRole.ICON), name.data(CellRole.TONE)) == ("check", "ok")
    assert weight.data(CellRole.ICON) is None
    assert weight.data(Qt.ItemDataRole.AccessibleTextRole) == "Weight: 40 g"
    assert weight.data(Qt.ItemDataRole.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight
    assert made.headerData(1, Qt.Orientation.Horizontal) == "Weight"


def test_showing_again_changes_only_what_changed() -> None:
    made = model()
    made.show(FRUITS)
    told: list[str] = []
    made.dataChanged.connect(lambda *_: told.append("changed"))
    made.rowsRemoved.connect(lambda *_: told.append("removed"))
    made.rowsInserted.connect(lambda *_: told.append("inserted"))
    made.modelReset.connect(lambda: told.append("reset"))
    made.show(FRUITS)
    assert told == []
    made.show((fruit(1, "plum", 41), FRUITS[1], fruit(4, "fig", 5)))
    assert sorted(told) == ["changed", "inserted", "removed"]
    assert made.record(UUID(int=1)) == fruit(1, "plum", 41)
    assert made.record(UUID(int=3)) is None
    assert made.record(None) is None
    assert [one.name for one in made.records] == ["plum", "Apple", "fig"]


def test_what_is_as_good_as_gone_is_dimmed() -> None:
    made = model()
    made.show(FRUITS)
    row = made.row_of(UUID(int=3))
    assert row is not None
    assert made.index(row, 0).data(CellRole.DIMMED) is True


def test_one_record_is_put_in_place_of_its_former_self(qtmodeltester: ModelTester) -> None:
    made = model()
    qtmodeltester.check(made)  # type: ignore[no-untyped-call]  # pytest-qt has no types there
    made.show(FRUITS)
    made.sort(1)
    made.put(fruit(2, "Apple", 99))
    assert names(made) == ["melon", "plum", "Apple"]
    made.put(fruit(9, "fig", 50))
    assert names(made) == ["melon", "plum", "fig", "Apple"]
    made.show(FRUITS[:1])
    assert names(made) == ["plum"]
