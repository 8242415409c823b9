"""The schema: up, down, with data, equal to the models, and append-only where it must be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, Executable, Table, inspect, select, text
from sqlalchemy.exc import DBAPIError
from uuid_utils.compat import uuid7

from core.backend.storage import lookups, tables
from core.backend.storage.engine import open_engine, write_transaction
from core.backend.storage.errors import SchemaError
from core.backend.storage.migrate import downgrade, migrate
from core.backend.storage.records import DeviceNumber
from core.backend.storage.revision import HEAD, current_revision, require_current
from core.domain.roles import Role
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.both_engines


@pytest.fixture
def url(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> Iterator[str]:
    """An empty database."""
    if database == "sqlite":
        yield f"sqlite:///{tmp_path / 'bursar.sqlite3'}"
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    yield postgres.clone("template0")
    postgres.drop_clones()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    migrate(url)
    engine = open_engine(url)
    yield engine
    engine.dispose()


def test_up_down_and_up_again(url: str) -> None:
    assert current_revision(url) is None
    migrate(url)
    assert current_revision(url) == HEAD
    downgrade(url, "base")
    assert current_revision(url) is None
    engine = open_engine(url)
    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()
    migrate(url)
    assert current_revision(url) == HEAD


def test_the_migrations_make_what_the_models_say(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_migrating_again_changes_nothing_and_keeps_the_data(url: str, engine: Engine) -> None:
    with engine.connect() as connection:
        before = connection.execute(select(tables.ledger_head.c.epoch)).scalar_one()
    migrate(url)
    with engine.connect() as connection:
        assert connection.execute(select(tables.ledger_head.c.epoch)).scalar_one() == before


def test_going_down_works_with_data(url: str, engine: Engine) -> None:
    _insert_ledger_rows(engine)
    engine.dispose()
    downgrade(url, "base")
    assert current_revision(url) is None


def test_people_and_sessions_of_before_are_kept(url: str) -> None:
    """From the first schema to this one: nobody is signed out, nobody must change a password."""
    migrate(url, "0001")
    engine = open_engine(url)
    user, at = uuid7(), datetime(2026, 1, 31, 9, 15, tzinfo=UTC)
    old_user = {
        "id": user, "email": "a@b.example", "name": "A", "salt": b"s", "password_hash": "hash",
        "roles": frozenset({Role.OFFICER}), "disabled": False,
    }  # fmt: skip
    old_session = {
        "id": user, "user_id": user, "family": user, "access_hash": b"1", "access_expires_at": at,
        "refresh_hash": b"2", "refresh_expires_at": at, "replaced": False,
    }  # fmt: skip
    with write_transaction(engine) as connection:
        connection.execute(tables.users.insert(), old_user)
        connection.execute(tables.staff_sessions.insert(), old_session)
    migrate(url)
    with engine.connect() as connection:
        (person,) = lookups.read_all_users(connection)
        session = lookups.read_staff_session(connection, access=b"1")
    engine.dispose()
    assert (person.name, person.disabled, person.must_change_password) == ("A", False, False)
    assert session is not None
    assert (session.user_id, session.started_at, session.label) == (person.id, None, "")


def test_what_was_carried_out_before_is_known_afterwards(url: str) -> None:
    """0004 reads it from the stored answers: it can be withdrawn no more."""
    migrate(url, "0003")
    engine = open_engine(url)
    user, device, done, refused = (uuid7() for _ in range(4))
    at = datetime(2026, 1, 31, 9, 15, tzinfo=UTC)
    person = {
        "id": user, "email": "a@b.example", "name": "A", "salt": b"s", "password_hash": "hash",
        "roles": frozenset({Role.OFFICER}), "disabled": False,
    }  # fmt: skip
    console = {
        "id": device, "user_id": user, "roles": frozenset({Role.OFFICER}), "public_key": b"k",
        "by_device": device, "root": False, "enrolled_index": 0, "revoked_index": None,
    }  # fmt: skip
    rows: list[tuple[Table, dict[str, Any]]] = [(tables.users, person), (tables.devices, console)]
    for n, (decision, kind, index) in enumerate(
        [(done, "accepted", 7), (refused, "refused", None)]
    ):
        rows.append((tables.device_numbers, {"device_id": device, "n": n, "decision": decision}))
        answer = {
            "scope": f"device:{device}", "key": str(decision), "digest": b"d", "kind": kind,
            "code": kind, "message": "", "index": index, "subject": None, "created_at": at,
        }  # fmt: skip
        rows.append((tables.idempotency, answer))
    with write_transaction(engine) as connection:
        for table, row in rows:
            connection.execute(table.insert().values(row))
    migrate(url)
    with engine.connect() as connection:
        found = lookups.read_numbers(connection, [(device, 0), (device, 1)])
    engine.dispose()
    assert sorted(found, key=lambda number: number.n) == [
        DeviceNumber(device, 0, done, applied_index=7),
        DeviceNumber(device, 1, refused),
    ]


def test_a_failed_migration_leaves_nothing_behind(url: str) -> None:
    engine = open_engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE users (id INTEGER)")
        connection.commit()
        with pytest.raises(Exception, match="already exists"):
            migrate(url)
        assert inspect(connection).get_table_names() == ["users"]
    engine.dispose()


def test_a_database_without_the_schema_is_refused(url: str) -> None:
    engine = open_engine(url)
    with pytest.raises(SchemaError, match="migrate"):
        require_current(engine)
    engine.dispose()


def test_a_start_with_nothing_to_migrate_does_not_load_alembic() -> None:
    code = "import sys, core.backend.cli; print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


_CHANGES: dict[Table, dict[str, object]] = {
    tables.ledger_entries: {"leaf": b"forged"},
    tables.ledger_nodes: {"hash": b"forged"},
    tables.checkpoints: {"note": "forged"},
}


@pytest.mark.parametrize("table", _CHANGES, ids=str)
def test_the_ledger_is_append_only(engine: Engine, table: Table, database: str) -> None:
    assert {t.name for t in _CHANGES} == set(tables.APPEND_ONLY)
    _insert_ledger_rows(engine)
    statements: list[Executable] = [table.delete(), table.update().values(_CHANGES[table])]
    if database == "postgresql":
        statements.append(text(f"TRUNCATE {table.name}"))
    for statement in statements:
        with pytest.raises(DBAPIError, match="append-only"), write_transaction(engine) as c:
            c.execute(statement)
    assert _rows(engine, table) == [tuple(_FIRST_ROWS[table].values())]


_FIRST_ROWS: dict[Table, dict[str, object]] = {
    tables.ledger_entries: {
        "index": 0,
        "leaf": b"{}",
        "leaf_hash": b"h",
        "subject": "s:1",
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "actor": "system",
        "action": "a.b",
    },
    tables.ledger_nodes: {"level": 1, "index": 0, "hash": b"h"},
    tables.checkpoints: {"size": 1, "note": "note"},
}


def _insert_ledger_rows(engine: Engine) -> None:
    with write_transaction(engine) as connection:
        for table, row in _FIRST_ROWS.items():
            connection.execute(table.insert(), row)


def _rows(engine: Engine, table: Table) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(table))]
