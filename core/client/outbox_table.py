"""The tables of an outbox file: sealed items, counters, what was set aside, notices.

Knows how things are kept, not what may happen to them (`outbox_file`). For one thread.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from core.client.outbox_items import Notice, OutboxItem
from core.client.outbox_rows import (
    COLUMNS,
    DamagedRowError,
    RowCodec,
    read_time,
    write_time,
)
from core.client.sealing import Sealer

VERSION = 2
# Numbers beyond are not exact in JSON.
MAX_N = 2**53 - 1
# Nobody decides that often: a counter that says so was edited, and the backend tells the right one.
_MAX_COUNTER = 2**52
_UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_KEY_CHECK = "key_check"
_KEY_WORDS = "This is the key of this outbox."
_SCHEMA = """
CREATE TABLE items (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    officer TEXT NOT NULL,
    device TEXT NOT NULL,
    n INTEGER NOT NULL,
    enrollment TEXT NOT NULL,
    created_at TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    not_before TEXT NOT NULL,
    settled_at TEXT,
    dismissed INTEGER NOT NULL,
    confirmed INTEGER NOT NULL,
    content BLOB NOT NULL,
    outcome BLOB NOT NULL,
    UNIQUE (device, n, kind)
);
CREATE INDEX items_open ON items (enrollment, seq) WHERE state IN ('queued', 'sending');
CREATE INDEX items_of ON items (officer, state, seq);
CREATE TABLE set_aside (
    at TEXT, seq, id, kind, officer, device, n, enrollment, created_at, state, attempts,
    not_before, settled_at, dismissed, confirmed, content, outcome
);
CREATE TABLE counters (device TEXT PRIMARY KEY, next_n INTEGER NOT NULL);
CREATE TABLE notices (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, message TEXT NOT NULL, path TEXT, items TEXT NOT NULL
);
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL);
PRAGMA user_version = 2;
"""
_PLACES = ", ".join("?" * len(COLUMNS))
_NAMES = ", ".join(COLUMNS)
_INSERT = f"INSERT INTO items ({_NAMES}) VALUES ({_PLACES})"  # noqa: S608 - constants above
_KEEP = f"INSERT INTO set_aside (at, {_NAMES}) VALUES (?, {_PLACES})"  # noqa: S608 - constants


def create_tables(db: sqlite3.Connection) -> None:
    for statement in _SCHEMA.split(";"):
        db.execute(statement)


def schema_of(db: sqlite3.Connection) -> list[tuple[str, str | None]]:
    """Every table and index as it was written down, to compare two databases."""
    rows = db.execute("SELECT name, sql FROM sqlite_master ORDER BY name")
    return [(row["name"], row["sql"]) for row in rows]


class OutboxTable:
    """Methods raise sqlite3.Error; whatever belongs together goes into one `transaction`."""

    def __init__(self, db: sqlite3.Connection, sealer: Sealer) -> None:
        self._db = db
        self._sealer = sealer
        self._codec = RowCodec(sealer)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on the disk at the end. A full disk may have ended it already."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def create(self) -> None:
        """Make the tables, in a transaction of the caller's."""
        create_tables(self._db)
        self.remember_key()

    # --- the key ---

    def remember_key(self) -> None:
        """Seal known words, so that another key is told from damage."""
        sealed = self._sealer.seal(_KEY_WORDS, _KEY_CHECK)
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_KEY_CHECK, sealed))

    def key_is_known(self) -> bool:
        """Whether the known words open under our key."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (_KEY_CHECK,)).fetchone()
        sealed = None if row is None else row["value"]
        return isinstance(sealed, bytes) and self._sealer.open(sealed, _KEY_CHECK) == _KEY_WORDS

    def opens_any(self) -> bool:
        """Whether our key opens at least one row."""
        return any(self._codec.opens(row) for row in self._db.execute("SELECT * FROM items"))

    def holds_something(self) -> bool:
        """Whether a decision is in it, be it set aside."""
        sql = "SELECT EXISTS (SELECT 1 FROM items) OR EXISTS (SELECT 1 FROM set_aside)"
        return bool(self._db.execute(sql).fetchone()[0])

    # --- items ---

    def insert(self, item: OutboxItem) -> None:
        (last,) = self._db.execute("SELECT max(seq) FROM items").fetchone()
        self.insert_at(item, (last or 0) + 1)

    def insert_at(self, item: OutboxItem, seq: int) -> None:
        self._db.execute(_INSERT, self._codec.row(item, seq))

    def insert_raw(self, row: Mapping[str, object], at: datetime) -> None:
        """Take over a row of another file as it was; one that fits nowhere is set aside."""
        values = [row[name] for name in COLUMNS]
        try:
            self._db.execute(_INSERT, values)
        except sqlite3.IntegrityError:
            self._db.execute(_KEEP, (write_time(at), *values))
            self._tell_of([str(row["id"])], at)

    def update(self, item: OutboxItem) -> None:
        """Write down what became of an item that is there; its content never changes."""
        (seq,) = self._db.execute("SELECT seq FROM items WHERE id = ?", (str(item.id),)).fetchone()
        self._db.execute(
            "UPDATE items SET state = ?, attempts = ?, not_before = ?, settled_at = ?, "
            "dismissed = ?, confirmed = ?, outcome = ? WHERE seq = ?",
            (*self._codec.standing(item, seq), seq),
        )

    def mark_sending(self, items: Sequence[UUID]) -> None:
        """From queued to being sent, without sealing anew: `outbox_rows` takes both for one."""
        self._db.executemany(
            "UPDATE items SET state = 'sending' WHERE id = ?", [(str(item),) for item in items]
        )

    def sweep(self) -> int:
        """And back, all of them; how many."""
        sql = "UPDATE items SET state = 'queued' WHERE state = 'sending'"
        return self._db.execute(sql).rowcount

    def delete(self, item: UUID) -> None:
        self._db.execute("DELETE FROM items WHERE id = ?", (str(item),))

    def select(
        self, where: str, values: Sequence[object], *, tail: str, at: datetime
    ) -> list[OutboxItem]:
        """The items where `where` holds, as `mine`, in the order that `tail` says, with any limit.

        Both are constants of the caller's, with `?` for values.
        In a transaction: a row that cannot be read is set aside, with a notice of `at`.
        """
        sql = f"SELECT * FROM items AS mine WHERE {where} ORDER BY {tail}"  # noqa: S608
        items: list[OutboxItem] = []
        damaged: list[sqlite3.Row] = []
        for row in self._db.execute(sql, values).fetchall():
            try:
                items.append(self._codec.read(row))
            except DamagedRowError:
                damaged.append(row)
        self._set_aside(damaged, at)
        return items

    def count(self, where: str, values: Sequence[object]) -> tuple[int, str | None]:
        """How many rows, and the earliest `created_at` among them."""
        sql = f"SELECT count(*), min(created_at) FROM items WHERE {where}"  # noqa: S608
        number, earliest = self._db.execute(sql, values).fetchone()
        return number, earliest

    def earliest_due(self, where: str, values: Sequence[object]) -> datetime | None:
        sql = f"SELECT min(not_before) FROM items AS mine WHERE {where}"  # noqa: S608 - the caller's
        (when,) = self._db.execute(sql, values).fetchone()
        return None if when is None else read_time(when)

    def set_aside_damaged(self, at: datetime) -> None:
        """Look at every row; those whose seals do not open are moved, bytes and all, and told."""
        rows = self._db.execute("SELECT * FROM items").fetchall()
        self._set_aside([row for row in rows if not self._codec.opens(row)], at)

    def _set_aside(self, rows: Sequence[sqlite3.Row], at: datetime) -> None:
        for row in rows:
            # Inside the database, so that not a byte of it changes.
            self._db.execute(
                f"INSERT INTO set_aside SELECT ?, {_NAMES} FROM items WHERE seq = ?",  # noqa: S608
                (write_time(at), row["seq"]),
            )
            self._db.execute("DELETE FROM items WHERE seq = ?", (row["seq"],))
        if rows:
            self._tell_of([str(row["id"]) for row in rows], at)

    def _tell_of(self, items: Sequence[str], at: datetime) -> None:
        one = len(items) == 1
        message = (
            f"{'1 decision' if one else f'{len(items)} decisions'} in the outbox of this computer "
            f"cannot be read any more and {'was' if one else 'were'} set aside, not sent. Look at "
            "the pending list, and decide again what is still open."
        )
        self.add_notice(at, message, items=items)

    # --- counters ---

    def next_n(self, device: UUID) -> int:
        """The next number of a device: above its counter and above every number in the file."""
        (used,) = self._db.execute(
            "SELECT max(n) FROM items WHERE device = ?", (str(device),)
        ).fetchone()
        return max(self._counter(str(device)), 0 if used is None else used + 1)

    def raise_next_n(self, device: str, n: int) -> None:
        """A counter never goes back."""
        self._db.execute(
            "INSERT OR REPLACE INTO counters (device, next_n) VALUES (?, ?)",
            (device, max(self._counter(device), n)),
        )

    def _counter(self, device: str) -> int:
        row = self._db.execute("SELECT next_n FROM counters WHERE device = ?", (device,)).fetchone()
        kept = row["next_n"] if row else 0
        return kept if isinstance(kept, int) and 0 <= kept <= _MAX_COUNTER else 0

    # --- notices ---

    def add_notice(
        self, at: datetime, message: str, *, path: Path | None = None, items: Sequence[str] = ()
    ) -> None:
        self._db.execute(
            "INSERT INTO notices (at, message, path, items) VALUES (?, ?, ?, ?)",
            (
                write_time(at),
                message,
                None if path is None else str(path),
                json.dumps(list(items)),
            ),
        )

    def take_notice(self, values: Sequence[object]) -> None:
        """Take over a notice of another file: (at, message, path, items)."""
        self._db.execute(
            "INSERT OR IGNORE INTO notices (at, message, path, items) VALUES (?, ?, ?, ?)", values
        )

    def drop_notice(self, notice: int) -> None:
        self._db.execute("DELETE FROM notices WHERE id = ?", (notice,))

    def notices(self) -> tuple[Notice, ...]:
        """Oldest first."""
        rows = self._db.execute("SELECT * FROM notices ORDER BY id").fetchall()
        return tuple(_notice(row) for row in rows)


def _notice(row: sqlite3.Row) -> Notice:
    """A notice is told even where its own row was damaged."""
    try:
        at, ids = read_time(row["at"]), json.loads(row["items"])
    except (ValueError, TypeError):
        at, ids = _UNKNOWN_TIME, []
    path = row["path"]
    return Notice(
        id=row["id"],
        at=at,
        message=str(row["message"]),
        path=None if path is None else Path(str(path)),
        items=tuple(_ids(ids)),
    )


def _ids(texts: Sequence[object]) -> Iterator[UUID]:
    for text in texts:
        try:
            yield UUID(str(text))
        except ValueError:  # what was set aside may be damaged here too
            continue
