"""What somebody may do to a queue file behind a console's back: copies and edits."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

from tests.simulator.chance import Chance

_SIDE_FILES = ("", "-wal")
_SHARED = "-shm"  # made anew from the other two
Row = tuple[object, ...]


def copy_database(source: Path, target: Path) -> None:
    """Whole and consistent, also while a console has it open: nothing is written meanwhile."""
    for end in (*_SIDE_FILES, _SHARED):
        target.with_name(target.name + end).unlink(missing_ok=True)
    for end in _SIDE_FILES:
        beside = source.with_name(source.name + end)
        if beside.exists():
            shutil.copyfile(beside, target.with_name(target.name + end))


def rows_of(queue: Path) -> dict[UUID, Row] | None:
    """Every item by its id, as it lies there; None where that cannot be told any more."""
    probe = queue.with_suffix(".probe")
    copy_database(queue, probe)
    with closing(sqlite3.connect(probe)) as database:
        database.text_factory = bytes
        try:
            found = database.execute("SELECT id, * FROM items").fetchall()
            return {UUID(row[0].decode()): row for row in found}
        except (sqlite3.Error, ValueError, AttributeError):
            return None


def struck(before: Mapping[UUID, Row] | None, after: Mapping[UUID, Row] | None) -> set[UUID] | None:
    """The items that an edit hit; None where that cannot be told."""
    if before is None or after is None:
        return None
    return {id_ for id_, row in before.items() if after.get(id_) != row}


# --- edits -------------------------------------------------------------------------------------


def turn_bits(queue: Path, chance: Chance) -> None:
    data = bytearray(queue.read_bytes())
    for _ in range(chance.choice([1, 1, 20])):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    queue.write_bytes(data)


def swap_rows(queue: Path, chance: Chance) -> None:
    """What two rows hold changes places: each is whole, and not in its own."""
    with _opened(queue) as database:
        rows = database.execute("SELECT seq, content, outcome FROM items ORDER BY seq").fetchall()
        if len(rows) > 1:
            one, other = chance.sample(rows, 2)
            for (seq, *_), (_, content, outcome) in ((one, other), (other, one)):
                database.execute(
                    "UPDATE items SET content = ?, outcome = ? WHERE seq = ?",
                    (content, outcome, seq),
                )


_CLEAR: Mapping[str, object] = MappingProxyType(
    {
        "id": str(UUID(int=7)),
        "kind": "withdrawal",
        "officer": str(UUID(int=7)),
        "n": 4711,
        "enrollment": str(UUID(int=7)),
        "state": "accepted",
        "not_before": "9999-01-01T00:00:00.000000+00:00",
        "dismissed": 1,
        "confirmed": 1,
    }
)


def edit_column(queue: Path, chance: Chance) -> None:
    """A column that is not sealed says something else, such as that all is done."""
    name = chance.choice(list(_CLEAR))
    with _opened(queue) as database:
        (seq,) = _some_row(database, chance) or (None,)
        database.execute(
            f"UPDATE OR IGNORE items SET {name} = ? WHERE seq = ?",  # noqa: S608 - names above
            (_CLEAR[name], seq),
        )


def set_counter_back(queue: Path, _: Chance) -> None:
    """Numbers are to be given again."""
    with _opened(queue) as database:
        database.execute("UPDATE counters SET next_n = 0")


def delete_row(queue: Path, chance: Chance) -> None:
    with _opened(queue) as database:
        database.execute("DELETE FROM items WHERE seq = ?", _some_row(database, chance) or (None,))


def spoil_withdrawal(queue: Path, decision: UUID) -> bool:
    """Damage the withdrawal of this decision; whether there was one."""
    with _opened(queue) as database:
        done = database.execute(
            "UPDATE items SET content = x'00' WHERE kind = 'withdrawal' AND (device, n) = "
            "(SELECT device, n FROM items WHERE id = ?)",
            (str(decision),),
        )
        return done.rowcount > 0


def _opened(queue: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(queue, isolation_level=None))


def _some_row(database: sqlite3.Connection, chance: Chance) -> Row | None:
    rows: list[Row] = database.execute("SELECT seq FROM items ORDER BY seq").fetchall()
    return chance.choice(rows) if rows else None


Edit = Callable[[Path, Chance], None]
EDITS: tuple[Edit, ...] = (
    turn_bits, turn_bits, swap_rows, edit_column, edit_column, set_counter_back, delete_row,
)  # fmt: skip
