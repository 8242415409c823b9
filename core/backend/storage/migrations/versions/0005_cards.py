"""Card payments: the pay link of each attempt, money that came late, and refunds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_WORD = sa.String(length=20)


def upgrade() -> None:
    _card_links()
    _late_money()
    _refunds()


def _card_links() -> None:
    op.create_table(
        "card_links",
        sa.Column("attempt", sa.Uuid(), nullable=False),
        sa.Column("enrollment", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("link_id", sa.String(length=100), nullable=True),
        sa.Column("url", sa.String(length=500), nullable=True),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("word", sa.String(length=40), nullable=False),
        sa.Column("asked_at", _TIME, nullable=True),
        sa.Column("next_ask_at", _TIME, nullable=True),
        sa.Column("asks", sa.Integer(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["attempt"], ["attempts.id"], name="fk_card_links_attempt"),
        sa.ForeignKeyConstraint(
            ["enrollment"], ["enrollments.id"], name="fk_card_links_enrollment"
        ),
        sa.PrimaryKeyConstraint("attempt", name="pk_card_links"),
        sa.UniqueConstraint("external_id", name="uq_card_links_external_id"),
        sa.UniqueConstraint("link_id", "provider", name="uq_card_links_link_id"),
    )
    op.create_index("ix_card_links_enrollment", "card_links", ["enrollment"])
    op.create_index("ix_card_links_next_ask_at", "card_links", ["next_ask_at"])


def _late_money() -> None:
    op.create_table(
        "late_money",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("link_id", sa.String(length=100), nullable=False),
        sa.Column("attempt", sa.Uuid(), nullable=True),
        sa.Column("enrollment", sa.Uuid(), nullable=True),
        sa.Column("cents", sa.BigInteger(), nullable=True),
        sa.Column("reason", _WORD, nullable=False),
        sa.Column("found_at", _TIME, nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("how", _WORD, nullable=True),
        sa.Column("by", sa.String(length=60), nullable=True),
        sa.Column("at", _TIME, nullable=True),
        sa.Column("note", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["attempt"], ["attempts.id"], name="fk_late_money_attempt"),
        sa.ForeignKeyConstraint(
            ["enrollment"], ["enrollments.id"], name="fk_late_money_enrollment"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_late_money"),
        sa.UniqueConstraint("link_id", "provider", name="uq_late_money_link_id"),
    )
    op.create_index("ix_late_money_attempt", "late_money", ["attempt"])
    op.create_index("ix_late_money_enrollment", "late_money", ["enrollment"])
    op.create_index("ix_late_money_state", "late_money", ["state"])


def _refunds() -> None:
    op.create_table(
        "refunds",
        sa.Column("attempt", sa.Uuid(), nullable=False),
        sa.Column("enrollment", sa.Uuid(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("by", sa.String(length=60), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["attempt"], ["attempts.id"], name="fk_refunds_attempt"),
        sa.ForeignKeyConstraint(["enrollment"], ["enrollments.id"], name="fk_refunds_enrollment"),
        sa.PrimaryKeyConstraint("attempt", name="pk_refunds"),
    )
    op.create_index("ix_refunds_enrollment", "refunds", ["enrollment"])
    op.create_index("ix_refunds_state", "refunds", ["state"])


def downgrade() -> None:
    for table in ("refunds", "late_money", "card_links"):
        op.drop_table(table)
