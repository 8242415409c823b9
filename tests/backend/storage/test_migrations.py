"""The schema: up, down, with data, equal to the models, and append-only where it must be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.exc import IntegrityError

from core.backend.storage import tables
from core.backend.storage.engine import open_engine, write_transaction
from core.backend.storage.errors import SchemaError
from core.backend.storage.migrate import current_revision, downgrade, migrate, require_current


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'bursar.sqlite3'}"


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    migrate(url)
    engine = open_engine(url)
    yield engine
    engine.dispose()


def test_up_down_and_up_again(url: str) -> None:
    assert current_revision(url) is None
    migrate(url)
    assert current_revision(url) == "0001"
    downgrade(url, "base")
    assert current_revision(url) is None
    engine = open_engine(url)
    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()
    migrate(url)
    assert current_revision(url) == "0001"


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


def test_a_failed_migration_leaves_nothing_behind(url: str) -> None:
    engine = open_engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE users (id INTEGER)")
        with pytest.raises(Exception, match="already exists"):
            migrate(url)
        assert inspect(connection).get_table_names() == ["users"]
    engine.dispose()


def test_a_database_without_the_schema_is_refused(url: str) -> None:
    engine = open_engine(url)
    with pytest.raises(SchemaError, match="migrate"):
        require_current(engine)
    engine.dispose()


@pytest.mark.parametrize("table", tables.APPEND_ONLY)
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET {}"])
def test_the_ledger_is_append_only(engine: Engine, table: str, statement: str) -> None:
    _insert_ledger_rows(engine)
    change = {
        "ledger_entries": "leaf = x'00'",
        "ledger_nodes": "hash = x'00'",
        "checkpoints": "note = ''",
    }[table]
    before = _count(engine, table)
    with pytest.raises(IntegrityError, match="append-only"), write_transaction(engine) as c:
        c.execute(text(statement.format(table, change)))
    assert _count(engine, table) == before == 1


def _insert_ledger_rows(engine: Engine) -> None:
    with write_transaction(engine) as connection:
        for statement in (
            "INSERT INTO ledger_entries VALUES (0, x'7b7d', x'00', 's:1', '2026-01-01 00:00:00.0')",
            "INSERT INTO ledger_nodes VALUES (1, 0, x'00')",
            "INSERT INTO checkpoints VALUES (1, 'note')",
        ):
            connection.execute(text(statement))


def _count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 - our own table names
