"""Bring a database to this program's revision. Loads Alembic; `revision.py` does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config

from core.backend.storage.engine import open_engine

_SCRIPTS = Path(__file__).with_name("migrations")
# PostgreSQL's advisory lock of whoever migrates.
MIGRATING = int.from_bytes(b"bursarmg")


def migrate(url: str, revision: str = "head") -> None:
    """Upgrade to `revision`. The caller makes sure that no backend is running on SQLite."""
    _run(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> None:
    """Go back to `revision`; data that the older schema cannot hold is lost."""
    _run(url, lambda config: command.downgrade(config, revision))


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
