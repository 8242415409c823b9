"""Transactions, pragmas and the lock that keeps SQLite to one process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError

from core.backend.storage.engine import (
    DatabaseLock,
    open_engine,
    read_transaction,
    sqlite_file,
    write_transaction,
)
from core.backend.storage.errors import DatabaseInUseError, UnknownOutcomeError
from core.backend.storage.tables import checkpoints, one_time_codes
from tests.support.live_template import Template, database_url

both_engines = pytest.mark.both_engines


@pytest.fixture
def engine(live_template: Template, tmp_path: Path) -> Iterator[Engine]:
    live_template.copy_to(tmp_path / "house")
    engine = open_engine(database_url(tmp_path / "house"))
    yield engine
    engine.dispose()


def _sizes(engine: Engine) -> list[int]:
    with read_transaction(engine) as connection:
        return list(connection.execute(select(checkpoints.c.size)).scalars())


def _write_and_fail(engine: Engine) -> None:
    with write_transaction(engine) as connection:
        connection.execute(checkpoints.insert(), {"size": 2, "note": "lost"})
        raise LookupError("on second thought")


def test_connections_are_durable_and_patient(engine: Engine) -> None:
    with engine.connect() as connection:

        def pragma(name: str) -> object:
            return connection.execute(text(f"PRAGMA {name}")).scalar_one()

        assert pragma("journal_mode") == "wal"
        assert pragma("synchronous") == 2  # FULL
        assert pragma("foreign_keys") == 1
        assert pragma("busy_timeout") == 10_000


@both_engines
def test_a_transaction_is_all_or_nothing(engine: Engine) -> None:
    with write_transaction(engine) as connection:
        connection.execute(checkpoints.insert(), {"size": 1, "note": "kept"})
    with pytest.raises(LookupError):
        _write_and_fail(engine)
    assert _sizes(engine) == [1]
    with write_transaction(engine) as connection:  # and the next one is a transaction again
        connection.execute(checkpoints.insert(), {"size": 3, "note": "kept"})
        if connection.dialect.name == "sqlite":
            assert connection.connection.driver_connection is not None
            assert connection.connection.driver_connection.in_transaction
    assert _sizes(engine) == [1, 3]


@both_engines
def test_a_reader_sees_one_state(engine: Engine) -> None:
    query = select(checkpoints.c.size)
    with read_transaction(engine) as reading:
        assert reading.execute(query).all() == []
        with write_transaction(engine) as writing:
            writing.execute(checkpoints.insert(), {"size": 1, "note": "later"})
        assert reading.execute(query).all() == []
    assert _sizes(engine) == [1]


class _DiskError(Exception):
    def __init__(self, code: int) -> None:
        super().__init__("the disk said no")
        self.sqlite_errorcode = code


def _write_and_fail_to_commit(engine: Engine, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    with write_transaction(engine) as connection:
        connection.execute(checkpoints.insert(), {"size": 1, "note": "?"})
        execute = connection.exec_driver_sql

        def fail_to_commit(statement: str) -> object:
            if statement == "COMMIT":
                raise DBAPIError(statement, {}, _DiskError(code))
            return execute(statement)

        monkeypatch.setattr(connection, "exec_driver_sql", fail_to_commit)


@pytest.mark.parametrize(
    ("code", "expected"),
    [(10, UnknownOutcomeError), (10 | 4 << 8, UnknownOutcomeError), (13, DBAPIError)],
    ids=["ioerr", "ioerr-fsync", "full"],
)
def test_a_lost_commit_is_unknown_and_a_failed_one_is_not(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, code: int, expected: type[Exception]
) -> None:
    with pytest.raises(expected):
        _write_and_fail_to_commit(engine, monkeypatch, code)
    assert _sizes(engine) == []


@both_engines
def test_times_are_utc_whatever_zone_they_come_in(engine: Engine) -> None:
    at = datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    row = {"hash": b"h", "purpose": "test", "expires_at": at}
    with write_transaction(engine) as connection:
        connection.execute(one_time_codes.insert(), row)
    with read_transaction(engine) as connection:
        query = select(one_time_codes.c.expires_at).where(one_time_codes.c.hash == b"h")
        read = connection.execute(query).scalar_one()
    assert read == at
    assert read.tzinfo is UTC


@both_engines
def test_a_time_without_zone_is_refused(engine: Engine) -> None:
    row = {"hash": b"h", "purpose": "test", "expires_at": datetime(2026, 3, 1)}  # noqa: DTZ001 - what is tested
    with pytest.raises(Exception, match="without zone"), write_transaction(engine) as connection:
        connection.execute(one_time_codes.insert(), row)


def test_a_second_backend_is_refused_and_a_later_one_is_not(tmp_path: Path) -> None:
    database = tmp_path / "bursar.sqlite3"
    first, second = DatabaseLock(database), DatabaseLock(database)
    first.acquire()
    with pytest.raises(DatabaseInUseError, match="Another Bursar backend"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_another_process_is_refused_too(tmp_path: Path) -> None:
    database = tmp_path / "bursar.sqlite3"
    lock = DatabaseLock(database)
    lock.acquire()
    program = (
        "import sys, pathlib; from core.backend.storage.engine import DatabaseLock; "
        "DatabaseLock(pathlib.Path(sys.argv[1])).acquire()"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(database)], capture_output=True, text=True, check=False
    )
    lock.release()
    assert run.returncode == 1
    assert "DatabaseInUseError" in run.stderr


def test_only_sqlite_urls_name_a_file() -> None:
    assert sqlite_file("sqlite:////data/bursar.sqlite3") == Path("/data/bursar.sqlite3")
    assert sqlite_file("sqlite://") is None
    assert sqlite_file("postgresql://db/bursar") is None
