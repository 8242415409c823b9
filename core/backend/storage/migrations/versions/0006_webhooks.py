"""Callbacks of the card provider: what came, each try at it, and what was refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_WORD = sa.String(length=20)


def upgrade() -> None:
    _deliveries()
    _tries()
    _alerts()


def _deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("link_id", sa.String(length=100), nullable=True),
        sa.Column("external_id", sa.String(length=100), nullable=True),
        sa.Column("success", sa.Boolean(), nullable=True),
        sa.Column("code", sa.String(length=20), nullable=True),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("last_at", _TIME, nullable=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("message", sa.String(length=500), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("spent", sa.Integer(), nullable=False),
        sa.Column("replays", sa.Integer(), nullable=False),
        sa.Column("next_try_at", _TIME, nullable=True),
        sa.Column("settled_at", _TIME, nullable=True),
        sa.Column("enrollment", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_deliveries"),
        sa.UniqueConstraint("signature", name="uq_webhook_deliveries_signature"),
    )
    op.create_index("ix_webhook_deliveries_state", "webhook_deliveries", ["state", "id"])
    op.create_index("ix_webhook_deliveries_next_try_at", "webhook_deliveries", ["next_try_at"])


def _tries() -> None:
    op.create_table(
        "webhook_tries",
        sa.Column("delivery", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("message", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery"], ["webhook_deliveries.id"], name="fk_webhook_tries_delivery"
        ),
        sa.PrimaryKeyConstraint("delivery", "n", name="pk_webhook_tries"),
    )


def _alerts() -> None:
    op.create_table(
        "security_alerts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("hour", _TIME, nullable=False),
        sa.Column("first_at", _TIME, nullable=False),
        sa.Column("last_at", _TIME, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_security_alerts"),
        sa.UniqueConstraint("hour", "kind", "address", name="uq_security_alerts_hour"),
    )


def downgrade() -> None:
    for table in ("security_alerts", "webhook_tries", "webhook_deliveries"):
        op.drop_table(table)
