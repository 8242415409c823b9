"""Administration: passwords to be changed, sessions that can be told apart, device requests,
courses that are retired."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    off = sa.false()
    op.add_column(
        "users",
        sa.Column("must_change_password", sa.Boolean(), nullable=False, server_default=off),
    )
    op.add_column("courses", sa.Column("retired", sa.Boolean(), nullable=False, server_default=off))
    for table, time in (("staff_sessions", "started_at"), ("student_sessions", "seen_at")):
        op.add_column(table, sa.Column(time, sa.DateTime(timezone=True), nullable=True))
        label = sa.Column("label", sa.String(length=80), nullable=False, server_default="")
        op.add_column(table, label)
    op.create_table(
        "device_requests",
        sa.Column("device", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("roles", sa.String(length=100), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_device_requests_user_id"),
        sa.PrimaryKeyConstraint("device", name="pk_device_requests"),
    )
    op.create_index("ix_device_requests_user_id", "device_requests", ["user_id"])
    op.create_index("ix_device_requests_state", "device_requests", ["state"])


def downgrade() -> None:
    op.drop_index("ix_device_requests_state", table_name="device_requests")
    op.drop_index("ix_device_requests_user_id", table_name="device_requests")
    op.drop_table("device_requests")
    for table, time in (("staff_sessions", "started_at"), ("student_sessions", "seen_at")):
        op.drop_column(table, "label")
        op.drop_column(table, time)
    op.drop_column("courses", "retired")
    op.drop_column("users", "must_change_password")
