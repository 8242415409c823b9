"""The outbox as an SQLite file. Synchronous, for one thread; `outbox.Outbox` is for everybody else.

Times are kept as ISO texts in UTC of one width, so that they compare as texts. An officer's own
words are sealed; the rest of a row holds no name.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from core.client.backoff import CAP_SECONDS
from core.client.errors import OutboxError
from core.client.sealing import Sealer
from core.domain.decisions import Verdict
from core.protocol.messages import DecisionAnswer, Note

BATCH = 50
_VERSION = 1
_SCHEMA = """
CREATE TABLE items (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    officer TEXT NOT NULL,
    device TEXT NOT NULL,
    n INTEGER NOT NULL,
    enrollment TEXT NOT NULL,
    verdict TEXT NOT NULL,
    payload BLOB NOT NULL,
    signature BLOB NOT NULL,
    note BLOB,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before TEXT NOT NULL,
    reason_code TEXT,
    reason_message TEXT,
    answer TEXT,
    created_at TEXT NOT NULL,
    reference TEXT NOT NULL,
    cents INTEGER NOT NULL,
    UNIQUE (device, n)
);
CREATE INDEX items_open ON items (enrollment, seq) WHERE state IN ('queued', 'sending');
CREATE INDEX items_of ON items (officer, state, seq);
CREATE TABLE counters (device TEXT PRIMARY KEY, next_n INTEGER NOT NULL);
PRAGMA user_version = 1;
"""
# A clock that was set back must not hold a decision until it catches up.
_NEVER_LATER = timedelta(seconds=2 * CAP_SECONDS)


class OutboxState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    CONFLICT = "conflict"
    REFUSED = "refused"
    NEEDS_PERSON = "needs_person"


WAITING_STATES = frozenset({OutboxState.QUEUED, OutboxState.SENDING})


@dataclass(frozen=True, slots=True)
class Draft:
    """A decision before it has its number. `reference` and `cents` are for showing it later."""

    id: UUID
    officer: UUID
    device: UUID
    enrollment: UUID
    verdict: Verdict
    note: Note | None
    created_at: datetime
    reference: str
    cents: int


@dataclass(frozen=True, slots=True)
class SignedBytes:
    payload: bytes
    signature: bytes


Sign = Callable[[int], SignedBytes]


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One decision and what became of it.

    `reason_code` and `reason_message` say why it is where it is; `note_lost` that its note was
    sealed with a key this computer no longer has.
    """

    id: UUID
    officer: UUID
    device: UUID
    n: int
    enrollment: UUID
    verdict: Verdict
    payload: bytes
    signature: bytes
    note: Note | None
    note_lost: bool
    state: OutboxState
    attempts: int
    not_before: datetime
    reason_code: str | None
    reason_message: str | None
    answer: DecisionAnswer | None
    created_at: datetime
    reference: str
    cents: int


class OutboxFile:
    """Use it from the thread that opened it. Methods raise sqlite3.Error."""

    def __init__(self, path: Path, sealer: Sealer) -> None:
        self._sealer = sealer
        _make_private(path)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA busy_timeout = 5000")
        self._prepare()

    def _prepare(self) -> None:
        with self._transaction():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in _SCHEMA.split(";"):
                    self._db.execute(statement)
            elif version != _VERSION:
                raise OutboxError("The outbox was written by another version of Bursar.")

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # --- writing ---

    def add(self, draft: Draft, sign: Sign) -> OutboxItem:
        """Number, sign and store a decision in one transaction; numbers are never used twice."""
        note = None
        if draft.note is not None:
            note = self._sealer.seal(draft.note.model_dump_json(), str(draft.id))
        with self._transaction():
            n = self._next_n(draft.device)
            signed = sign(n)
            self._set_next_n(draft.device, n + 1)
            self._db.execute(
                "INSERT INTO items (id, officer, device, n, enrollment, verdict, payload, "
                "signature, note, state, not_before, created_at, reference, cents) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    str(draft.id),
                    str(draft.officer),
                    str(draft.device),
                    n,
                    str(draft.enrollment),
                    draft.verdict.value,
                    signed.payload,
                    signed.signature,
                    note,
                    OutboxState.QUEUED.value,
                    _write_time(draft.created_at),
                    _write_time(draft.created_at),
                    draft.reference,
                    draft.cents,
                ),
            )
        return self.get(draft.id)

    def _next_n(self, device: UUID) -> int:
        row = self._db.execute(
            "SELECT next_n FROM counters WHERE device = ?", (str(device),)
        ).fetchone()
        return int(row["next_n"]) if row else 0

    def _set_next_n(self, device: UUID, n: int) -> None:
        self._db.execute(
            "INSERT INTO counters (device, next_n) VALUES (?, ?) "
            "ON CONFLICT (device) DO UPDATE SET next_n = max(next_n, excluded.next_n)",
            (str(device), n),
        )

    def learn_next_n(self, device: UUID, n: int) -> None:
        """The backend has seen all numbers below `n` from this device, perhaps more than we."""
        with self._transaction():
            self._set_next_n(device, n)

    def next_batch(
        self, *, officer: UUID, device: UUID, now: datetime, limit: int = BATCH
    ) -> list[OutboxItem]:
        """Due decisions of one officer, now marked as being sent: at most one per enrollment.

        A later decision about an enrollment waits until the earlier one has its answer.
        """
        with self._transaction():
            rows = self._db.execute(
                "SELECT seq FROM items AS mine WHERE state = 'queued' AND officer = ? "
                "AND device = ? AND (not_before <= ? OR not_before > ?) AND NOT EXISTS ("
                "  SELECT 1 FROM items AS other WHERE other.enrollment = mine.enrollment "
                "  AND other.officer = mine.officer AND other.seq < mine.seq "
                "  AND other.state IN ('queued', 'sending')) "
                "ORDER BY seq LIMIT ?",
                (
                    str(officer),
                    str(device),
                    _write_time(now),
                    _write_time(now + _NEVER_LATER),
                    limit,
                ),
            ).fetchall()
            taken = [(row["seq"],) for row in rows]
            self._db.executemany("UPDATE items SET state = 'sending' WHERE seq = ?", taken)
        return [self._one("seq = ?", seq) for seq in taken]

    def answer(self, answer: DecisionAnswer, state: OutboxState) -> OutboxItem:
        """Store the final answer; one that came before stays."""
        with self._transaction():
            self._db.execute(
                "UPDATE items SET state = ?, reason_code = ?, reason_message = ?, answer = ? "
                "WHERE id = ? AND state IN ('queued', 'sending')",
                (
                    state.value,
                    answer.code,
                    answer.message,
                    answer.model_dump_json(),
                    str(answer.id),
                ),
            )
        return self.get(answer.id)

    def postpone(
        self, item: UUID, *, until: datetime, code: str, message: str
    ) -> OutboxItem | None:
        """Back to the queue, due at `until`; None if it was not being sent (any more)."""
        with self._transaction():
            done = self._db.execute(
                "UPDATE items SET state = 'queued', attempts = attempts + 1, not_before = ?, "
                "reason_code = ?, reason_message = ? WHERE id = ? AND state = 'sending'",
                (_write_time(until), code, message, str(item)),
            )
        return self.get(item) if done.rowcount else None

    def give_to_person(self, item: UUID, *, code: str, message: str) -> OutboxItem:
        """It cannot go on by itself; `retry` puts it back."""
        with self._transaction():
            self._db.execute(
                "UPDATE items SET state = 'needs_person', reason_code = ?, reason_message = ? "
                "WHERE id = ? AND state IN ('queued', 'sending')",
                (code, message, str(item)),
            )
        return self.get(item)

    def retry(self, item: UUID, now: datetime) -> OutboxItem:
        """A person wants it tried again."""
        with self._transaction():
            self._db.execute(
                "UPDATE items SET state = 'queued', not_before = ? "
                "WHERE id = ? AND state = 'needs_person'",
                (_write_time(now), str(item)),
            )
        return self.get(item)

    def release(self, officer: UUID, now: datetime) -> None:
        """Everything that this officer has waiting is due now."""
        with self._transaction():
            self._db.execute(
                "UPDATE items SET not_before = ? WHERE officer = ? AND state = 'queued'",
                (_write_time(now), str(officer)),
            )

    def sweep(self) -> int:
        """Start-up: what was being sent when the console ended is queued again; how many.

        The decision's id makes a second sending safe.
        """
        with self._transaction():
            done = self._db.execute("UPDATE items SET state = 'queued' WHERE state = 'sending'")
        return done.rowcount

    # --- reading ---

    def get(self, item: UUID) -> OutboxItem:
        return self._one("id = ?", (str(item),))

    def waiting_for(self, officer: UUID) -> list[OutboxItem]:
        """Without an answer yet, in the order they were decided."""
        return self._all("officer = ? AND state IN ('queued', 'sending')", (str(officer),))

    def open_for(self, officer: UUID) -> list[OutboxItem]:
        """Not accepted: what still waits and what somebody should look at."""
        return self._all("officer = ? AND state <> 'accepted'", (str(officer),))

    def next_due(self, officer: UUID, device: UUID) -> datetime | None:
        """When the next waiting decision is due; None if nothing waits."""
        (when,) = self._db.execute(
            "SELECT min(not_before) FROM items "
            "WHERE officer = ? AND device = ? AND state = 'queued'",
            (str(officer), str(device)),
        ).fetchone()
        return None if when is None else datetime.fromisoformat(when)

    def _all(self, where: str, values: Sequence[object]) -> list[OutboxItem]:
        # `where` is one of the constants above.
        sql = f"SELECT * FROM items WHERE {where} ORDER BY seq"  # noqa: S608
        return [self._item(row) for row in self._db.execute(sql, values)]

    def _one(self, where: str, values: Sequence[object]) -> OutboxItem:
        found = self._all(where, values)
        if not found:
            raise OutboxError("This decision is not in the outbox.")
        return found[0]

    def _item(self, row: sqlite3.Row) -> OutboxItem:
        note = self._note(row)
        answer = row["answer"]
        return OutboxItem(
            id=UUID(row["id"]),
            officer=UUID(row["officer"]),
            device=UUID(row["device"]),
            n=row["n"],
            enrollment=UUID(row["enrollment"]),
            verdict=Verdict(row["verdict"]),
            payload=row["payload"],
            signature=row["signature"],
            note=note,
            note_lost=note is None and row["note"] is not None,
            state=OutboxState(row["state"]),
            attempts=row["attempts"],
            not_before=datetime.fromisoformat(row["not_before"]),
            reason_code=row["reason_code"],
            reason_message=row["reason_message"],
            answer=None if answer is None else DecisionAnswer.model_validate_json(answer),
            created_at=datetime.fromisoformat(row["created_at"]),
            reference=row["reference"],
            cents=row["cents"],
        )

    def _note(self, row: sqlite3.Row) -> Note | None:
        if row["note"] is None:
            return None
        text = self._sealer.open(row["note"], row["id"])
        return None if text is None else Note.model_validate_json(text)


def _make_private(path: Path) -> None:
    """For this account only, before SQLite writes the first byte; its side files follow suit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)


def _write_time(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds")
