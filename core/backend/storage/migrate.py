"""Bring a database to this program's revision."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from core.backend.storage.engine import open_engine
from core.backend.storage.errors import SchemaError

_SCRIPTS = Path(__file__).with_name("migrations")
# PostgreSQL's advisory lock of whoever migrates.
MIGRATING = int.from_bytes(b"bursarmg")


def migrate(url: str, revision: str = "head") -> None:
    """Upgrade to `revision`. The caller makes sure that no backend is running on SQLite."""
    _run(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> None:
    """Go back to `revision`; data that the older schema cannot hold is lost."""
    _run(url, lambda config: command.downgrade(config, revision))


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
    if revision != ScriptDirectory(str(_SCRIPTS)).get_current_head():
        raise SchemaError(
            "The database does not fit this version of Bursar. Run `bursar-backend migrate` first."
        )


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _run(url: str, action: Callable[[Config], None]) -> None:
    engine = open_engine(url)
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            action(config)
    finally:
        engine.dispose()
