"""Withdrawn decisions: of each used number, whether its decision was carried out or withdrawn."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SCOPE = "device:"
_numbers = sa.table(
    "device_numbers",
    sa.column("device_id", sa.Uuid()),
    sa.column("n", sa.BigInteger()),
    sa.column("decision", sa.Uuid()),
    sa.column("applied_index", sa.BigInteger()),
)
_answers = sa.table(
    "idempotency",
    sa.column("scope", sa.String()),
    sa.column("key", sa.String()),
    sa.column("kind", sa.String()),
    sa.column("index", sa.BigInteger()),
)


def upgrade() -> None:
    op.add_column("device_numbers", sa.Column("applied_index", sa.BigInteger(), nullable=True))
    op.add_column(
        "device_numbers",
        sa.Column("withdrawn", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    _remember_what_was_carried_out()


def downgrade() -> None:
    op.drop_column("device_numbers", "withdrawn")
    op.drop_column("device_numbers", "applied_index")


def _remember_what_was_carried_out() -> None:
    """From the stored answers: an accepted one names the entry."""
    connection = op.get_bind()
    a, n = _answers.c, _numbers.c
    accepted = sa.select(a.scope, a.key, a.index).where(
        a.kind == "accepted", a.scope.startswith(_SCOPE), a.index.is_not(None)
    )
    entries = {
        (UUID(row.scope.removeprefix(_SCOPE)), UUID(row.key)): row.index
        for row in connection.execute(accepted)
    }
    used = connection.execute(sa.select(n.device_id, n.n, n.decision)).all()
    update = (
        _numbers.update()
        .where(n.device_id == sa.bindparam("device"), n.n == sa.bindparam("number"))
        .values(applied_index=sa.bindparam("entry"))
    )
    changed = [
        {"device": row.device_id, "number": row.n, "entry": entries[row.device_id, row.decision]}
        for row in used
        if (row.device_id, row.decision) in entries
    ]
    if changed:
        connection.execute(update, changed)
