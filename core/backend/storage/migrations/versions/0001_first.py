"""The first schema: people, enrollments, the ledger and what writing needs.

Facts that are made once with it: the ledger's epoch, and the row about the house.
"""

from __future__ import annotations

import os

import sqlalchemy as sa
from alembic import op
from uuid_utils.compat import uuid7

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Changes to these tables would be forgery: only inserts are ever right.
_APPEND_ONLY = ("ledger_entries", "ledger_nodes", "checkpoints")
_FIRST_THRESHOLD_CENTS = 5_000_000


def upgrade() -> None:
    _create_tables()
    _forbid_changes()
    _insert_first_rows()


def _create_tables() -> None:
    op.create_table(
        "checkpoints",
        sa.Column(
            "size",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_checkpoints"),
    )
    op.create_table(
        "courses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("summary", sa.String(length=2000), nullable=False),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("lessons", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_courses"),
    )
    op.create_table(
        "idempotency",
        sa.Column("scope", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("message", sa.String(length=500), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=True),
        sa.Column("subject", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"], unique=False)
    op.create_table(
        "ledger_entries",
        sa.Column(
            "index",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("index", name="pk_ledger_entries"),
    )
    op.create_index("ix_ledger_entries_subject", "ledger_entries", ["subject"], unique=False)
    op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("peaks", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_head"),
    )
    op.create_table(
        "ledger_nodes",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "index", name="pk_ledger_nodes"),
    )
    op.create_table(
        "notes",
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("commitment", name="pk_notes"),
    )
    op.create_table(
        "one_time_codes",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("hash", name="pk_one_time_codes"),
    )
    op.create_table(
        "students",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email_index", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_students"),
        sa.UniqueConstraint("email_index", name="uq_students_email_index"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("roles", sa.String(length=100), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_table(
        "workspace",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("threshold_cents", sa.BigInteger(), nullable=True),
        sa.Column("bank", sa.String(length=200), nullable=False),
        sa.Column("account_name", sa.String(length=200), nullable=False),
        sa.Column("account_number", sa.String(length=200), nullable=False),
        sa.Column("branch_code", sa.String(length=200), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workspace"),
    )
    op.create_table(
        "devices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("roles", sa.String(length=100), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("by_device", sa.Uuid(), nullable=False),
        sa.Column("root", sa.Boolean(), nullable=False),
        sa.Column("enrolled_index", sa.BigInteger(), nullable=False),
        sa.Column("revoked_index", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_devices_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
    )
    op.create_index("ix_devices_user_id", "devices", ["user_id"], unique=False)
    op.create_table(
        "enrollments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("student", sa.Uuid(), nullable=False),
        sa.Column("course", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=True),
        sa.Column("status_by", sa.String(length=60), nullable=False),
        sa.Column("status_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claim", sa.Uuid(), nullable=True),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["course"], ["courses.id"], name="fk_enrollments_course"),
        sa.ForeignKeyConstraint(["student"], ["students.id"], name="fk_enrollments_student"),
        sa.PrimaryKeyConstraint("id", name="pk_enrollments"),
        sa.UniqueConstraint("reference", name="uq_enrollments_reference"),
        sa.UniqueConstraint("student", "course", name="uq_enrollments_student"),
    )
    op.create_index("ix_enrollments_course", "enrollments", ["course"], unique=False)
    op.create_index("ix_enrollments_waiting", "enrollments", ["waiting_since", "id"], unique=False)
    op.create_table(
        "staff_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("family", sa.Uuid(), nullable=False),
        sa.Column("access_hash", sa.LargeBinary(), nullable=False),
        sa.Column("access_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refresh_hash", sa.LargeBinary(), nullable=False),
        sa.Column("refresh_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced", sa.Boolean(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_staff_sessions_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_staff_sessions"),
        sa.UniqueConstraint("access_hash", name="uq_staff_sessions_access_hash"),
        sa.UniqueConstraint("refresh_hash", name="uq_staff_sessions_refresh_hash"),
    )
    op.create_index("ix_staff_sessions_family", "staff_sessions", ["family"], unique=False)
    op.create_index("ix_staff_sessions_revoked_at", "staff_sessions", ["revoked_at"], unique=False)
    op.create_index("ix_staff_sessions_user_id", "staff_sessions", ["user_id"], unique=False)
    op.create_table(
        "student_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name="fk_student_sessions_student_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_student_sessions"),
        sa.UniqueConstraint("token_hash", name="uq_student_sessions_token_hash"),
    )
    op.create_index(
        "ix_student_sessions_revoked_at", "student_sessions", ["revoked_at"], unique=False
    )
    op.create_index(
        "ix_student_sessions_student_id", "student_sessions", ["student_id"], unique=False
    )
    op.create_table(
        "access_grants",
        sa.Column("enrollment", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["enrollment"], ["enrollments.id"], name="fk_access_grants_enrollment"
        ),
        sa.PrimaryKeyConstraint("enrollment", "version", name="pk_access_grants"),
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("enrollment", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("failure", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["enrollment"], ["enrollments.id"], name="fk_attempts_enrollment"),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
    )
    op.create_index("ix_attempts_enrollment", "attempts", ["enrollment"], unique=False)
    op.create_table(
        "claims",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("enrollment", sa.Uuid(), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proof", sa.String(length=64), nullable=True),
        sa.Column("first_officer", sa.Uuid(), nullable=True),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_version", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["enrollment"], ["enrollments.id"], name="fk_claims_enrollment"),
        sa.PrimaryKeyConstraint("id", name="pk_claims"),
    )
    op.create_index("ix_claims_enrollment", "claims", ["enrollment"], unique=False)
    op.create_table(
        "device_numbers",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("decision", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name="fk_device_numbers_device_id"),
        sa.PrimaryKeyConstraint("device_id", "n", name="pk_device_numbers"),
    )


def _forbid_changes() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in _APPEND_ONLY:
            for action in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _insert_first_rows() -> None:
    head = sa.table(
        "ledger_head", sa.column("id", sa.Integer), sa.column("epoch", sa.Uuid),
        sa.column("size", sa.BigInteger), sa.column("peaks", sa.LargeBinary),
    )  # fmt: skip
    op.bulk_insert(head, [{"id": 1, "epoch": uuid7(), "size": 0, "peaks": b""}])
    texts = ("name", "bank", "account_name", "account_number", "branch_code")
    workspace = sa.table(
        "workspace", sa.column("id", sa.Integer), sa.column("demo", sa.Boolean),
        sa.column("threshold_cents", sa.BigInteger), sa.column("salt", sa.LargeBinary),
        *(sa.column(text, sa.String) for text in texts),
    )  # fmt: skip
    row = dict.fromkeys(texts, "") | {"id": 1, "name": "Bursar", "demo": False}
    row |= {"threshold_cents": _FIRST_THRESHOLD_CENTS, "salt": os.urandom(16)}
    op.bulk_insert(workspace, [row])


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        for table in _APPEND_ONLY:
            op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
        op.execute("DROP FUNCTION refuse_change()")
    op.drop_table("device_numbers")
    op.drop_index("ix_claims_enrollment", table_name="claims")
    op.drop_table("claims")
    op.drop_index("ix_attempts_enrollment", table_name="attempts")
    op.drop_table("attempts")
    op.drop_table("access_grants")
    op.drop_index("ix_student_sessions_student_id", table_name="student_sessions")
    op.drop_index("ix_student_sessions_revoked_at", table_name="student_sessions")
    op.drop_table("student_sessions")
    op.drop_index("ix_staff_sessions_user_id", table_name="staff_sessions")
    op.drop_index("ix_staff_sessions_revoked_at", table_name="staff_sessions")
    op.drop_index("ix_staff_sessions_family", table_name="staff_sessions")
    op.drop_table("staff_sessions")
    op.drop_index("ix_enrollments_waiting", table_name="enrollments")
    op.drop_index("ix_enrollments_course", table_name="enrollments")
    op.drop_table("enrollments")
    op.drop_index("ix_devices_user_id", table_name="devices")
    op.drop_table("devices")
    op.drop_table("workspace")
    op.drop_table("users")
    op.drop_table("students")
    op.drop_table("one_time_codes")
    op.drop_table("notes")
    op.drop_table("ledger_nodes")
    op.drop_table("ledger_head")
    op.drop_index("ix_ledger_entries_subject", table_name="ledger_entries")
    op.drop_table("ledger_entries")
    op.drop_index("ix_idempotency_created_at", table_name="idempotency")
    op.drop_table("idempotency")
    op.drop_table("courses")
    op.drop_table("checkpoints")
