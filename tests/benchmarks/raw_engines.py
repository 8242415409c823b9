"""The engines without us: one small transaction after the other, each on the disk before the next.

A transaction does what a decision has to do at least: change a row, add an entry.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import psycopg

_ENTRY = b"x" * 700  # about what an entry of a decision takes


def sqlite_rate(file: Path, count: int) -> float:
    """Commits per second: write-ahead log, synchronous=FULL, one connection."""
    file.unlink(missing_ok=True)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, state INTEGER)")
        connection.execute("CREATE TABLE entries (id INTEGER PRIMARY KEY, leaf BLOB)")
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO rows VALUES (?, 0)", ((n,) for n in range(count)))
        connection.execute("COMMIT")
        start = time.perf_counter()
        for number in range(count):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("UPDATE rows SET state = 1 WHERE id = ?", (number,))
            connection.execute("INSERT INTO entries VALUES (?, ?)", (number, _ENTRY))
            connection.execute("COMMIT")
        return count / (time.perf_counter() - start)


def postgres_rate(connection: psycopg.Connection[tuple[object, ...]], count: int) -> float:
    """The same over one connection, given in autocommit."""
    connection.execute("DROP TABLE IF EXISTS raw_rows, raw_entries")
    connection.execute("CREATE TABLE raw_rows (id integer PRIMARY KEY, state integer)")
    connection.execute("CREATE TABLE raw_entries (id integer PRIMARY KEY, leaf bytea)")
    connection.execute("INSERT INTO raw_rows SELECT n, 0 FROM generate_series(1, %s) n", (count,))
    start = time.perf_counter()
    for number in range(1, count + 1):
        with connection.transaction():
            connection.execute("UPDATE raw_rows SET state = 1 WHERE id = %s", (number,))
            connection.execute("INSERT INTO raw_entries VALUES (%s, %s)", (number, _ENTRY))
    return count / (time.perf_counter() - start)
