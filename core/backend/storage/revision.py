"""Which schema a database has, without Alembic: a start that migrates nothing need not load it."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, inspect, text

from core.backend.storage.engine import open_engine
from core.backend.storage.errors import SchemaError

# The newest file in migrations/versions; a test holds the two against each other.
HEAD = "0006"


def current_revision(url: str) -> str | None:
    """The revision of the database, None for an empty one."""
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            return _revision(connection)
    finally:
        engine.dispose()


def require_current(engine: Engine) -> None:
    """Raises SchemaError where the database is at another revision than this program."""
    with engine.connect() as connection:
        revision = _revision(connection)
    if revision != HEAD:
        raise SchemaError(
            "The database does not fit this version of Bursar. Run `bursar-backend migrate` first."
        )


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found
