"""The tables, for SQLite and PostgreSQL alike. Changed only together with a migration."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
)

from core.backend.storage.types import Hashes, Lessons, RoleSet, UtcDateTime, enum_of
from core.domain.card_money import LateReason, LateState, LinkState, RefundState, Settlement
from core.domain.webhooks import AlertKind, DeliveryState

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

# On SQLite a primary key of INTEGER is the table's own order: no second tree.
_Index = BigInteger().with_variant(Integer, "sqlite")

# --- people ----------------------------------------------------------------------------------

users = Table(
    "users", metadata,
    Column("id", Uuid, primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("password_hash", String(200), nullable=False),
    Column("roles", RoleSet, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("must_change_password", Boolean, nullable=False, server_default=false()),
)  # fmt: skip

staff_sessions = Table(
    "staff_sessions", metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False, index=True),
    Column("family", Uuid, nullable=False, index=True),
    Column("access_hash", LargeBinary, nullable=False, unique=True),
    Column("access_expires_at", UtcDateTime, nullable=False),
    Column("refresh_hash", LargeBinary, nullable=False, unique=True),
    Column("refresh_expires_at", UtcDateTime, nullable=False),
    Column("replaced", Boolean, nullable=False),
    Column("revoked_at", UtcDateTime, index=True),
    Column("started_at", UtcDateTime),  # when the family began
    Column("label", String(80), nullable=False, server_default=""),
)  # fmt: skip

students = Table(
    "students", metadata,
    Column("id", Uuid, primary_key=True),
    Column("email_index", LargeBinary, nullable=False, unique=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("commitment", String(64), nullable=False),
    Column("password_hash", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)  # fmt: skip

student_sessions = Table(
    "student_sessions", metadata,
    Column("id", Uuid, primary_key=True),
    Column("student_id", Uuid, ForeignKey("students.id"), nullable=False, index=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime, index=True),
    Column("seen_at", UtcDateTime),
    Column("label", String(80), nullable=False, server_default=""),
)  # fmt: skip

devices = Table(
    "devices", metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False, index=True),
    Column("roles", RoleSet, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("by_device", Uuid, nullable=False),
    Column("root", Boolean, nullable=False),
    Column("enrolled_index", BigInteger, nullable=False),
    Column("revoked_index", BigInteger),
)  # fmt: skip

# `state`: waiting, refused or enrolled; the newest request of a device replaces the one before.
device_requests = Table(
    "device_requests", metadata,
    Column("device", Uuid, primary_key=True),
    Column("id", Uuid, nullable=False),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False, index=True),
    Column("roles", RoleSet, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("payload", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("state", String(20), nullable=False, index=True),
)  # fmt: skip

device_numbers = Table(
    "device_numbers", metadata,
    Column("device_id", Uuid, ForeignKey("devices.id"), primary_key=True),
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("decision", Uuid, nullable=False),
    Column("applied_index", BigInteger),  # of the entry that carried it out
    Column("withdrawn", Boolean, nullable=False, server_default=false()),
)  # fmt: skip

one_time_codes = Table(
    "one_time_codes", metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("purpose", String(40), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
)  # fmt: skip

# --- courses and enrollments -------------------------------------------------------------------

courses = Table(
    "courses", metadata,
    Column("id", Uuid, primary_key=True),
    Column("title", String(200), nullable=False),
    Column("summary", String(2000), nullable=False),
    Column("price_cents", BigInteger, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("lessons", Lessons, nullable=False),
    Column("retired", Boolean, nullable=False, server_default=false()),
)  # fmt: skip

enrollments = Table(
    "enrollments", metadata,
    Column("id", Uuid, primary_key=True),
    Column("student", Uuid, ForeignKey("students.id"), nullable=False),
    Column("course", Uuid, ForeignKey("courses.id"), nullable=False, index=True),
    Column("status", String(20), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("round", Integer, nullable=False),
    Column("reference", String(16), nullable=False, unique=True),
    Column("amount_cents", BigInteger, nullable=False),
    Column("method", String(20)),
    Column("status_by", String(60), nullable=False),
    Column("status_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("claim", Uuid),  # the current one; each claim names its enrollment
    Column("waiting_since", UtcDateTime),  # set while a claim waits: the pending list, in order
    UniqueConstraint("student", "course"),
    Index("ix_enrollments_waiting", "waiting_since", "id"),
)  # fmt: skip

claims = Table(
    "claims", metadata,
    Column("id", Uuid, primary_key=True),
    Column("enrollment", Uuid, ForeignKey("enrollments.id"), nullable=False, index=True),
    Column("method", String(20), nullable=False),
    Column("status", String(20), nullable=False),
    Column("round", Integer, nullable=False),
    Column("amount_cents", BigInteger, nullable=False),
    Column("submitted_at", UtcDateTime, nullable=False),
    Column("proof", String(64)),
    Column("first_officer", Uuid),
    Column("first_at", UtcDateTime),
    Column("first_version", BigInteger),
)  # fmt: skip

attempts = Table(
    "attempts", metadata,
    Column("id", Uuid, primary_key=True),
    Column("enrollment", Uuid, ForeignKey("enrollments.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("round", Integer, nullable=False),
    Column("amount_cents", BigInteger, nullable=False),
    Column("failure", String(200)),
)  # fmt: skip

access_grants = Table(
    "access_grants", metadata,
    Column("enrollment", Uuid, ForeignKey("enrollments.id"), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),  # that granted
    Column("granted_at", UtcDateTime, nullable=False),
    Column("withdrawn_at", UtcDateTime),
)  # fmt: skip

notes = Table(
    "notes", metadata,
    Column("commitment", String(64), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)  # fmt: skip

# --- card payments -----------------------------------------------------------------------------

card_links = Table(
    "card_links", metadata,
    Column("attempt", Uuid, ForeignKey("attempts.id"), primary_key=True),
    Column("enrollment", Uuid, ForeignKey("enrollments.id"), nullable=False, index=True),
    Column("external_id", String(64), nullable=False, unique=True),
    Column("provider", String(40), nullable=False),
    Column("link_id", String(100)),
    Column("url", String(500)),
    Column("state", enum_of(LinkState), nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("word", String(40), nullable=False),  # what the provider last said
    Column("asked_at", UtcDateTime),
    Column("next_ask_at", UtcDateTime, index=True),  # None once it is final
    Column("asks", Integer, nullable=False),
    Column("final", Boolean, nullable=False),
    UniqueConstraint("link_id", "provider"),
)  # fmt: skip

late_money = Table(
    "late_money", metadata,
    Column("id", Uuid, primary_key=True),
    Column("provider", String(40), nullable=False),
    Column("link_id", String(100), nullable=False),
    Column("attempt", Uuid, ForeignKey("attempts.id"), index=True),
    Column("enrollment", Uuid, ForeignKey("enrollments.id"), index=True),
    Column("cents", BigInteger),
    Column("reason", enum_of(LateReason), nullable=False),
    Column("found_at", UtcDateTime, nullable=False),
    Column("index", BigInteger, nullable=False),  # of its ledger entry
    Column("state", enum_of(LateState), nullable=False, index=True),
    Column("how", enum_of(Settlement)),
    Column("by", String(60)),
    Column("at", UtcDateTime),
    Column("note", String(64)),  # the commitment to what the person wrote
    UniqueConstraint("link_id", "provider"),
)  # fmt: skip

refunds = Table(
    "refunds", metadata,
    Column("attempt", Uuid, ForeignKey("attempts.id"), primary_key=True),
    Column("enrollment", Uuid, ForeignKey("enrollments.id"), nullable=False, index=True),
    Column("cents", BigInteger, nullable=False),
    Column("state", enum_of(RefundState), nullable=False, index=True),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("by", String(60), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)  # fmt: skip

# --- callbacks of the card provider ------------------------------------------------------------

# `signature` is over what was signed: the same bytes again are a copy. `tries` counts all of them,
# `spent` those since it came or was replayed last. While somebody works on it, `next_try_at` is
# when another may take it over.
webhook_deliveries = Table(
    "webhook_deliveries", metadata,
    Column("id", Uuid, primary_key=True),
    Column("provider", String(40), nullable=False),
    Column("signature", LargeBinary, nullable=False, unique=True),
    Column("sealed", LargeBinary, nullable=False),  # the body as it came
    Column("link_id", String(100)),
    Column("external_id", String(100)),
    Column("success", Boolean),  # what it claims; None where it cannot be read
    Column("code", String(20)),
    Column("received_at", UtcDateTime, nullable=False),
    Column("copies", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("state", enum_of(DeliveryState), nullable=False),
    Column("outcome", String(40), nullable=False),  # of the last try, as is the message
    Column("message", String(500), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("spent", Integer, nullable=False),
    Column("replays", Integer, nullable=False),
    Column("next_try_at", UtcDateTime, index=True),
    Column("settled_at", UtcDateTime),
    Column("enrollment", Uuid),
    Index("ix_webhook_deliveries_state", "state", "id"),
)  # fmt: skip

webhook_tries = Table(
    "webhook_tries", metadata,
    Column("delivery", Uuid, ForeignKey("webhook_deliveries.id"), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("outcome", String(40), nullable=False),
    Column("message", String(500), nullable=False),
)  # fmt: skip

# What was refused, counted by the hour; `address` is empty for those beyond the first hundred.
security_alerts = Table(
    "security_alerts", metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", enum_of(AlertKind), nullable=False),
    Column("address", String(64), nullable=False),
    Column("hour", UtcDateTime, nullable=False),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("count", BigInteger, nullable=False),
    UniqueConstraint("hour", "kind", "address"),
)  # fmt: skip

# --- writing and the ledger --------------------------------------------------------------------

idempotency = Table(
    "idempotency", metadata,
    Column("scope", String(60), primary_key=True),
    Column("key", String(100), primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("code", String(60), nullable=False),
    Column("message", String(500), nullable=False),
    Column("index", BigInteger),
    Column("subject", Uuid),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)  # fmt: skip

ledger_head = Table(
    "ledger_head", metadata,
    Column("id", Integer, primary_key=True),
    Column("epoch", Uuid, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("peaks", Hashes, nullable=False),
)  # fmt: skip

ledger_entries = Table(
    "ledger_entries", metadata,
    Column("index", _Index, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("subject", String(80), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(60), nullable=False),  # these two are the leaf's, to search by
    Column("action", String(64), nullable=False),
    Index("ix_ledger_entries_actor", "actor", "index"),
    Index("ix_ledger_entries_action", "action", "index"),
)  # fmt: skip

ledger_nodes = Table(
    "ledger_nodes", metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
)  # fmt: skip

checkpoints = Table(
    "checkpoints", metadata,
    Column("size", _Index, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
)  # fmt: skip

workspace = Table(
    "workspace", metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("demo", Boolean, nullable=False),
    Column("threshold_cents", BigInteger),
    Column("bank", String(200), nullable=False),
    Column("account_name", String(200), nullable=False),
    Column("account_number", String(200), nullable=False),
    Column("branch_code", String(200), nullable=False),
    Column("salt", LargeBinary, nullable=False),
)  # fmt: skip

APPEND_ONLY = ("ledger_entries", "ledger_nodes", "checkpoints")
