"""The database engine: how it is opened, and how transactions begin and end.

SQLite runs in autocommit with our own BEGIN IMMEDIATE: SQLAlchemy's default commits when the
outermost savepoint is released, and after a full disk it would go on outside any transaction.
PostgreSQL runs in READ COMMITTED with the head row locked first: whoever writes is alone, on
whichever node.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, make_url, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry

from core.backend.storage.errors import (
    DatabaseAwayError,
    DatabaseInUseError,
    UnknownOutcomeError,
)
from core.backend.storage.tables import ledger_head

BUSY_MILLISECONDS = 10_000
_SQLITE_IOERR = 10
# Nothing hangs for ever: not a lock, not a statement, not a peer that is gone without a word.
_SERVER_LIMITS = {
    "lock_timeout": 10_000,
    "statement_timeout": 30_000,
    "idle_in_transaction_session_timeout": 30_000,
    "tcp_user_timeout": 15_000,
}
# How each connection to PostgreSQL is made, the listener's too.
POSTGRES: dict[str, str | int] = {
    "application_name": "bursar",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "options": " ".join(f"-c {name}={value}" for name, value in _SERVER_LIMITS.items()),
}
_CONNECTIONS = 8  # the writer, four readers, and room
_POOL_SECONDS = 10.0
_HEAD_ALONE = select(ledger_head.c.id).with_for_update()


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite URL, None for another engine."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database)


def open_engine(url: str) -> Engine:
    """An engine whose connections are set up for durable writing."""
    if make_url(url).get_backend_name() != "sqlite":
        # It warns of what it could not say to a dying connection, and raises the error as well.
        logging.getLogger("psycopg").setLevel(logging.ERROR)
        return create_engine(
            url,
            isolation_level="READ COMMITTED",
            connect_args=POSTGRES,
            pool_size=_CONNECTIONS,
            max_overflow=0,
            pool_timeout=_POOL_SECONDS,
            pool_pre_ping=True,  # a connection that was cut is replaced before it is used
        )
    engine = create_engine(
        url, isolation_level="AUTOCOMMIT", connect_args={"check_same_thread": False}
    )
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
    finally:
        cursor.close()


@contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """The one kind of writing transaction: begun at once, alone at the ledger's head.

    Commits at the end, rolls back on any error. Raises UnknownOutcomeError where the answer of the
    commit was lost, DatabaseAwayError where there is no connection or no turn to be had.
    """
    with _connect(engine) as connection:
        on_sqlite = connection.dialect.name == "sqlite"
        _begin(connection, on_sqlite=on_sqlite)
        try:
            yield connection
        except BaseException:
            _roll_back(connection, on_sqlite=on_sqlite)
            raise
        _commit(connection, on_sqlite=on_sqlite)


def _connect(engine: Engine) -> Connection:
    try:
        return engine.connect()
    except (DBAPIError, PoolTimeoutError) as error:
        raise DatabaseAwayError("The database cannot be reached. Please try again.") from error


def _begin(connection: Connection, *, on_sqlite: bool) -> None:
    try:
        if on_sqlite:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(_HEAD_ALONE)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        # Somebody has held the lock for too long.
        raise DatabaseAwayError("The database is busy. Please try again.") from error


def _commit(connection: Connection, *, on_sqlite: bool) -> None:
    try:
        if on_sqlite:
            connection.exec_driver_sql("COMMIT")
        else:
            connection.commit()
    except DBAPIError as error:
        _roll_back(connection, on_sqlite=on_sqlite)
        if _is_lost(error):
            raise UnknownOutcomeError("It is not known whether this was saved.") from error
        raise


def _is_lost(error: DBAPIError) -> bool:
    """Whether a failed commit may yet have reached the disk."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return error.connection_invalidated or (code is not None and code & 0xFF == _SQLITE_IOERR)


def _roll_back(connection: Connection, *, on_sqlite: bool) -> None:
    # Some errors (a full disk) have ended SQLite's transaction already.
    with suppress(SQLAlchemyError):
        if on_sqlite:
            connection.exec_driver_sql("ROLLBACK")
        else:
            connection.rollback()


@contextmanager
def read_transaction(engine: Engine) -> Iterator[Connection]:
    """Several reads over one unchanging state. Raises DatabaseAwayError without a connection."""
    with _connect(engine) as connection:
        if connection.dialect.name != "sqlite":
            yield connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            return
        connection.exec_driver_sql("BEGIN")
        try:
            yield connection
        finally:
            connection.exec_driver_sql("ROLLBACK")


class DatabaseLock:
    """An exclusive lock beside a SQLite file: SQLite is for one process only."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Raises DatabaseInUseError where it is taken; a process that died has let go of it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock_file(descriptor)
        except OSError as error:
            os.close(descriptor)
            raise DatabaseInUseError(
                "Another Bursar backend is using this database already. Stop it first."
            ) from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go; the lock file stays, so that nobody can lock a deleted one."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


if sys.platform == "win32":
    import msvcrt

    def _lock_file(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock_file(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
