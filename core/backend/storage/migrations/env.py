"""Alembic's entry: one transaction over the connection that `storage/migrate.py` brings."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from core.backend.storage.migrate import MIGRATING
from core.backend.storage.tables import metadata

# One node at a time, however long it takes.
_ALONE = (
    "SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true), "
    f"pg_advisory_xact_lock({MIGRATING})"
)


def run(connection: Connection) -> None:
    """The whole migration succeeds or leaves nothing behind."""
    # The SQLite driver is in autocommit: our own transaction, as everywhere else. Alembic sees that
    # one is open and leaves its end to us.
    on_sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql("BEGIN IMMEDIATE" if on_sqlite else _ALONE)
    try:
        context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
        context.run_migrations()
    except BaseException:
        _end(connection, "ROLLBACK", on_sqlite=on_sqlite)
        raise
    _end(connection, "COMMIT", on_sqlite=on_sqlite)


def _end(connection: Connection, word: str, *, on_sqlite: bool) -> None:
    if on_sqlite:
        connection.exec_driver_sql(word)
    elif word == "COMMIT":
        connection.commit()
    else:
        connection.rollback()


run(context.config.attributes["connection"])
