"""What can still be read of an outbox file, of this format or the one before, however damaged.

Rows are looked up one by one, by their number: damage to one page of the file then costs the rows
on that page and no other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from core.client.outbox_items import FINAL_STATES, OutboxItem, OutboxState
from core.client.outbox_rows import COLUMNS, read_time
from core.client.sealing import Sealer
from core.domain.decisions import Verdict
from core.protocol.messages import DecisionAnswer, Note

OLD_COLUMNS = (
    "seq", "id", "officer", "device", "n", "enrollment", "verdict", "payload", "signature",
    "note", "state", "attempts", "not_before", "reason_code", "reason_message", "answer",
    "created_at", "reference", "cents",
)  # fmt: skip
# How far to look where the file does not say how many rows it had.
_LOOK_AT = 20_000
# Text, sizes and formats, schema format, kind of vacuum, encoding: see SQLite's file format.
_FIXED_IN_HEAD = ((0, 24), (44, 48), (52, 60), (64, 68))
# A name of a column may be damaged too, and is decoded by the module itself.
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Remains:
    """`rows` of this format and `old_rows` of the one before, in order, and how many were `lost`.

    `notices` are (at, message, path, items) as they were kept; `counters` numbers by device.
    """

    rows: tuple[Row, ...] = ()
    old_rows: tuple[Row, ...] = ()
    lost: int = 0
    counters: Mapping[str, int] = field(default_factory=dict)
    notices: tuple[tuple[object, ...], ...] = ()


def connect(path: Path | str) -> sqlite3.Connection:
    """As every connection to an outbox is: own transactions, rows by name, no text unreadable."""
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    # A damaged text must not keep its row from being set aside.
    db.text_factory = lambda raw: raw.decode("utf-8", "backslashreplace")
    return db


def columns_of_items(db: sqlite3.Connection) -> tuple[str, ...]:
    """The columns of the table `items`; none where there is no such table."""
    return tuple(row["name"] for row in db.execute("PRAGMA table_info(items)"))


def read_remains(path: Path) -> Remains:
    """Whatever can be read. Works on `path` itself: hand it a copy."""
    remains = _read(path)
    if remains.rows or remains.old_rows or not path.exists():
        return remains
    _mend_head(path)
    return _read(path)


def _mend_head(path: Path) -> None:
    """Write down anew what is the same in the head of every outbox, such as the size of a page."""
    db = connect(":memory:")
    db.execute("CREATE TABLE any (one)")
    head = db.serialize()
    db.close()
    with path.open("r+b") as file:
        for start, end in _FIXED_IN_HEAD:
            file.seek(start)
            file.write(head[start:end])


def _read(path: Path) -> Remains:
    db = connect(path)
    try:
        db.execute("PRAGMA writable_schema = ON")  # one damaged table must not hide the others
        columns = len(columns_of_items(db))
        if columns not in {len(COLUMNS), len(OLD_COLUMNS)}:
            return Remains()
        old = columns == len(OLD_COLUMNS)
        rows, lost = _rows(db, OLD_COLUMNS if old else COLUMNS)
        kept, old_rows = ((), rows) if old else (rows, ())
        return Remains(kept, old_rows, lost, _counters(db), _notices(db))
    except _UNREADABLE:
        return Remains()
    finally:
        db.close()


def _rows(db: sqlite3.Connection, columns: Sequence[str]) -> tuple[tuple[Row, ...], int]:
    """By place, because the names are of the file too."""
    last = _last_number(db)
    rows: list[Row] = []
    lost = 0
    for seq in range(1, (_LOOK_AT if last is None else last) + 1):
        try:
            found = db.execute("SELECT * FROM items WHERE rowid = ?", (seq,)).fetchone()
        except _UNREADABLE:
            lost += last is not None
            continue
        if found is not None and len(found) == len(columns):
            rows.append(dict(zip(columns, found, strict=True)))
    return tuple(rows), lost


def _last_number(db: sqlite3.Connection) -> int | None:
    """The number of the last row there ever was; None if the file does not tell any more."""
    known: list[int] = []
    for sql in (
        "SELECT coalesce(max(rowid), 0) FROM items",
        "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'items'",
    ):
        try:
            (found,) = db.execute(sql).fetchone()
        except _UNREADABLE:
            continue
        if isinstance(found, int) and 0 <= found <= 50 * _LOOK_AT:
            known.append(found)
    return max(known) if known else None


def _counters(db: sqlite3.Connection) -> dict[str, int]:
    counters: dict[str, int] = {}
    try:
        for row in db.execute("SELECT device, next_n FROM counters"):
            if isinstance(row["device"], str) and isinstance(row["next_n"], int):
                counters[row["device"]] = row["next_n"]
    except sqlite3.Error:  # the numbers in the rows and the backend's own count stand in
        return counters
    return counters


def _notices(db: sqlite3.Connection) -> tuple[tuple[object, ...], ...]:
    try:
        rows = db.execute("SELECT at, message, path, items FROM notices ORDER BY id").fetchall()
    except sqlite3.Error:  # the format before this one has none
        return ()
    return tuple(tuple(row) for row in rows)


def read_old(
    rows: Sequence[Row], sealer: Sealer, settled_at: datetime
) -> tuple[list[tuple[int, OutboxItem]], int]:
    """Items of the format before this one with their numbers, and how many rows made no sense."""
    items = []
    for row in rows:
        try:
            items.append((_number(row["seq"]), _old_item(row, sealer, settled_at)))
        except (ValueError, TypeError):
            continue
    return items, len(rows) - len(items)


def _old_item(row: Row, sealer: Sealer, settled_at: datetime) -> OutboxItem:
    """There, only the note was sealed. Raises ValueError or TypeError."""
    state = OutboxState(_text(row["state"]))
    note, note_lost = _old_note(row, sealer)
    answer = row["answer"]
    return OutboxItem(
        id=UUID(_text(row["id"])),
        officer=UUID(_text(row["officer"])),
        device=UUID(_text(row["device"])),
        n=_number(row["n"]),
        enrollment=UUID(_text(row["enrollment"])),
        verdict=Verdict(_text(row["verdict"])),
        payload=_bytes(row["payload"]),
        signature=_bytes(row["signature"]),
        note=note,
        note_lost=note_lost,
        state=state,
        attempts=_number(row["attempts"]),
        not_before=read_time(_text(row["not_before"])).astimezone(UTC),
        reason_code=_maybe_text(row["reason_code"]),
        reason_message=_maybe_text(row["reason_message"]),
        answer=None if answer is None else DecisionAnswer.model_validate_json(_text(answer)),
        created_at=read_time(_text(row["created_at"])).astimezone(UTC),
        reference=_text(row["reference"]),
        cents=_number(row["cents"]),
        settled_at=settled_at if state in FINAL_STATES else None,
    )


def _old_note(row: Row, sealer: Sealer) -> tuple[Note | None, bool]:
    sealed = row["note"]
    if sealed is None:
        return None, False
    text = sealer.open(_bytes(sealed), _text(row["id"]))
    return (None, True) if text is None else (Note.model_validate_json(text), False)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _maybe_text(value: object) -> str | None:
    return None if value is None else _text(value)


def _number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError("not a number")
    return value


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("not bytes")
    return value
