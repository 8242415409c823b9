"""An outbox's file as the first version of Bursar wrote it: only the note was sealed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID

from core.client.sealing import Sealer
from core.protocol.messages import AnswerKind, DecisionAnswer, Note
from tests.client.build import OFFICER
from tests.client.queueing import DEVICE, WORDS

SCHEMA = """
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
AT = "2026-03-02T10:42:00.000000+00:00"
_INSERT = (
    "INSERT INTO items (id, officer, device, n, enrollment, verdict, payload, signature, note, "
    "state, attempts, not_before, reason_code, reason_message, answer, created_at, reference, "
    "cents) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def write_old(path: Path, sealer: Sealer, states: list[str]) -> None:
    """One decision per state, numbered from 1, each about an enrollment of its own."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(SCHEMA)
        for number, state in enumerate(states, start=1):
            name = str(UUID(int=number))
            note = sealer.seal(Note(text=WORDS, salt="ab" * 16).model_dump_json(), name)
            answer = None
            if state == "accepted":
                answer = DecisionAnswer(
                    id=UUID(name), kind=AnswerKind.ACCEPTED, code=state, message="Done.", index=5
                ).model_dump_json()
            db.execute(
                _INSERT,
                (
                    name, str(OFFICER), str(DEVICE), number - 1, name, "approve",
                    b'{"n":%d}' % (number - 1), b"s" * 64, note, state, 2, AT, "busy", "Busy.",
                    answer, AT, "K7QM3XRA", 125_000,
                ),
            )  # fmt: skip
        db.execute("INSERT INTO counters VALUES (?, ?)", (str(DEVICE), 40))
