"""Opens the outbox's file, whatever happened to it since.

A file that cannot be trusted is copied aside and built anew from what can be read of it; nothing
is ever deleted, and a notice says so. A new file takes the old one's place in one step.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from enum import Enum
from pathlib import Path

from core.client.errors import OutboxError
from core.client.outbox_items import OutboxItem
from core.client.outbox_remains import (
    OLD_COLUMNS,
    Remains,
    columns_of_items,
    connect,
    read_old,
    read_remains,
)
from core.client.outbox_table import MAX_N, VERSION, OutboxTable, create_tables, schema_of
from core.client.private_files import PRIVATE, copy_aside, sync_folder
from core.client.sealing import Sealer

SIDES = ("-wal", "-shm")
_JOURNAL = "-journal"
# SQLITE_ERROR: a format that SQLite does not know. Our own statements are right.
_DAMAGE = frozenset(
    {
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_ERROR,
    }
)
_NEWER = "The outbox was written by a newer version of Bursar. Please start that version."
_OTHER_KEY = (
    "The outbox on this computer was sealed with another key and cannot be opened with this one. "
    "The file was kept, and a new outbox was begun: decisions in the old one are not sent."
)


class _Health(Enum):
    SOUND = "sound"
    OLD = "old"
    NEWER = "newer"
    DAMAGED = "damaged"


def open_in_memory(sealer: Sealer) -> OutboxTable:
    """A queue that ends with the program."""
    table = OutboxTable(connect(":memory:"), sealer)
    with table.transaction():
        table.create()
    return table


def open_file(path: Path, sealer: Sealer, at: datetime) -> OutboxTable:
    """The caller holds the file's lock. Raises OutboxError, sqlite3.Error or OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() or _beside(path, "-wal").exists():
        _mend(path, sealer, at)
    else:
        _build(path, sealer, at, Remains())
    table = _open_sound(path, sealer)
    if not table.key_is_known() and not _key_fits(table):
        table = _begin_anew(path, sealer, at, table)
    with table.transaction():
        table.set_aside_damaged(at)
    return table


def _key_fits(table: OutboxTable) -> bool:
    """The known words are damaged, but our key opens a row: seal them again."""
    with table.transaction():
        if not table.opens_any():
            return False
        table.remember_key()
        return True


def _begin_anew(path: Path, sealer: Sealer, at: datetime, table: OutboxTable) -> OutboxTable:
    """Everything in it is sealed with another key: only numbers and notices go on."""
    holds_something = table.holds_something()
    table.close()
    kept = copy_aside(path, at, sides=SIDES)
    left = replace(read_copy(path), rows=(), lost=0)
    _build(path, sealer, at, left, notice=(_OTHER_KEY, kept) if holds_something else None)
    return _open_sound(path, sealer)


def _mend(path: Path, sealer: Sealer, at: datetime) -> None:
    """Make the file sound and of this format, if it is not."""
    if path.exists():
        path.chmod(PRIVATE)
    health = _health(path)
    if health is _Health.NEWER:
        raise OutboxError(_NEWER)
    if health is _Health.SOUND:
        return
    remains = read_copy(path)
    old, senseless = read_old(remains.old_rows, sealer, at)
    notice = None
    if health is _Health.DAMAGED or senseless:
        kept = copy_aside(path, at, sides=SIDES)
        notice = (_damaged(len(remains.rows) + len(old), remains.lost + senseless), kept)
    _build(path, sealer, at, remains, old=old, notice=notice)


def _health(path: Path) -> _Health:
    if not path.exists() or path.stat().st_size == 0:
        return _Health.DAMAGED  # a new file comes into being whole
    db = connect(path)
    try:
        version, ours = _version(db), schema_of(db) == _our_schema()
        if version > VERSION and not ours:  # else only the number was damaged
            return _Health.NEWER
        sound = [row[0] for row in db.execute("PRAGMA integrity_check(1)")] == ["ok"]
        old = columns_of_items(db) == OLD_COLUMNS
        # Taking the write lock finds a header that says the file may only be read.
        db.execute("BEGIN IMMEDIATE")
        db.execute("ROLLBACK")
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in _DAMAGE:
            return _Health.DAMAGED
        raise
    except UnicodeDecodeError:  # from the module itself, over a damaged name
        return _Health.DAMAGED
    finally:
        db.close()
    if sound and ours and version == VERSION:
        return _Health.SOUND
    return _Health.OLD if sound and old and version == 1 else _Health.DAMAGED


def _our_schema() -> list[tuple[str, str | None]]:
    table = connect(":memory:")
    try:
        create_tables(table)
        return schema_of(table)
    finally:
        table.close()


def _version(db: sqlite3.Connection) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)


def _open_sound(path: Path, sealer: Sealer) -> OutboxTable:
    db = connect(path)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
    except BaseException:
        db.close()
        raise
    return OutboxTable(db, sealer)


def read_copy(path: Path) -> Remains:
    """Read a copy: reading may change a damaged file. Raises sqlite3.Error or OSError."""
    with _copied(path) as copy:
        return read_remains(copy)


def key_fits(path: Path, sealer: Sealer, at: datetime) -> bool:
    """Whether this key is that of a file, which stays as it is; damage speaks for no other key.

    Raises as `open_file`.
    """
    with _copied(path) as copy:
        _mend(copy, sealer, at)
        table = _open_sound(copy, sealer)
        try:
            return table.key_is_known() or table.opens_any()
        finally:
            table.close()


@contextmanager
def _copied(path: Path) -> Iterator[Path]:
    """A copy of a file and its log, for as long as it is needed."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        copy = Path(folder) / path.name
        for side in ("", *SIDES):
            if _beside(path, side).exists():
                shutil.copyfile(_beside(path, side), _beside(copy, side))
        yield copy


def _build(
    path: Path,
    sealer: Sealer,
    at: datetime,
    remains: Remains,
    *,
    old: Sequence[tuple[int, OutboxItem]] = (),
    notice: tuple[str, Path] | None = None,
) -> None:
    """Make a file of what remains beside `path`, then put it into its place in one step."""
    new = path.with_name(f".{path.name}.new")
    for side in ("", _JOURNAL, *SIDES):
        _beside(new, side).unlink(missing_ok=True)
    new.touch(PRIVATE)
    table = OutboxTable(connect(new), sealer)
    try:
        with table.transaction():
            table.create()
            _fill(table, at, remains)
            for seq, item in old:
                table.insert_at(item, seq)
            if notice is not None:
                table.add_notice(at, notice[0], path=notice[1])
    finally:
        table.close()
    for side in (_JOURNAL, *SIDES):  # of the old file: never to be applied to the new one
        _beside(path, side).unlink(missing_ok=True)
    new.replace(path)
    sync_folder(path.parent)


def _fill(table: OutboxTable, at: datetime, remains: Remains) -> None:
    for row in remains.rows:
        table.insert_raw(row, at)
    for device, n in remains.counters.items():
        if 0 <= n <= MAX_N:
            table.raise_next_n(device, n)
    for notice in remains.notices:
        table.take_notice(notice)


def _damaged(read: int, lost: int) -> str:
    """In plain words, without names."""
    kept = "1 decision was" if read == 1 else f"{read} decisions were"
    gone = f"; {lost} could not be read" if lost else ""
    return (
        "The outbox on this computer was damaged. The damaged file was kept, and "
        f"{kept} taken over from it{gone}. Look at the pending list, and decide again what is "
        "still open."
    )


def _beside(path: Path, side: str) -> Path:
    return path.with_name(path.name + side)
