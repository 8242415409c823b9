"""Entries are found by who and by what: the columns actor and action, taken from the leaves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COLUMNS = {"actor": 60, "action": 64}
_FILL = {
    "sqlite": "json_extract(CAST(leaf AS TEXT), '$.{0}')",
    "postgresql": "convert_from(leaf, 'UTF8')::json ->> '{0}'",
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for name, length in _COLUMNS.items():
        column = sa.Column(name, sa.String(length), nullable=False, server_default="")
        op.add_column("ledger_entries", column)
    _allow_updates(dialect)
    filled = ", ".join(f"{name} = {_FILL[dialect].format(name)}" for name in _COLUMNS)
    op.execute(f"UPDATE ledger_entries SET {filled}")  # noqa: S608 - our own column names
    _forbid_updates(dialect)
    for name in _COLUMNS:
        op.create_index(f"ix_ledger_entries_{name}", "ledger_entries", [name, "index"])
        if dialect != "sqlite":  # which cannot drop a default; every insert names the column
            op.alter_column("ledger_entries", name, server_default=None)


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_index(f"ix_ledger_entries_{name}", table_name="ledger_entries")
        op.drop_column("ledger_entries", name)


def _allow_updates(dialect: str) -> None:
    """What the leaves say is repeated once, in this transaction; the leaves stay as they are."""
    if dialect == "sqlite":
        op.execute("DROP TRIGGER ledger_entries_no_update")
    else:
        op.execute("ALTER TABLE ledger_entries DISABLE TRIGGER ledger_entries_append_only")


def _forbid_updates(dialect: str) -> None:
    if dialect == "sqlite":
        op.execute(
            "CREATE TRIGGER ledger_entries_no_update BEFORE UPDATE ON ledger_entries "
            "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
        )
    else:
        op.execute("ALTER TABLE ledger_entries ENABLE TRIGGER ledger_entries_append_only")
