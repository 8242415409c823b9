"""Verification of the demo's ledger, and the negative control: an altered copy must fail."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from core.ledger.merkle import leaf_hash
from scripts.demo.console_process import DemoError

BACKEND = (sys.executable, "-m", "core.backend")
"""The backend's command line from source."""


def ledger_size(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        (size,) = connection.execute("SELECT count(*) FROM ledger_entries").fetchone()
    return int(size)


def verify(backend: Sequence[str], database: Path) -> tuple[bool, str]:
    """Whether `backend ledger verify` accepts the database, and what it said."""
    done = subprocess.run(
        [*backend, "ledger", "verify", "--database", str(database)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0, (done.stdout + done.stderr).strip()


def altered_copy(database: Path, target: Path, *, cover_up: bool) -> Path:
    """A copy of the database in which one digit of the last leaf differs.

    With `cover_up` the leaf's stored hash is made to fit, as somebody who knows the tables would.
    """
    with (
        closing(sqlite3.connect(database)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)
        triggers = copy.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledger_entries'"
        ).fetchall()
        for (name,) in triggers:  # whoever owns the file can do this; the tree still tells
            copy.execute(f'DROP TRIGGER "{name}"')
        found = copy.execute(
            'SELECT "index", leaf FROM ledger_entries ORDER BY "index" DESC LIMIT 1'
        ).fetchone()
        if found is None:
            raise DemoError("there is no entry to alter")
        index, leaf = found
        raw = bytes(leaf)
        position = raw.rindex(b'"time":"') + len(b'"time":"') + 18  # a digit of the seconds
        digit = b"1" if raw[position : position + 1] != b"1" else b"2"
        changed = raw[:position] + digit + raw[position + 1 :]
        copy.execute('UPDATE ledger_entries SET leaf = ? WHERE "index" = ?', (changed, index))
        if cover_up:
            copy.execute(
                'UPDATE ledger_entries SET leaf_hash = ? WHERE "index" = ?',
                (leaf_hash(changed), index),
            )
        copy.commit()
    return target
