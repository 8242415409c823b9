"""Deleting what has been kept long enough. The ledger is never among it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from core.backend.storage.tables import idempotency


def forget_answers(connection: Connection, before: datetime, limit: int) -> int:
    """Delete the oldest stored answers from before that time: how many, about `limit` at most.

    Those that were stored at the same moment go together.
    """
    at = idempotency.c.created_at
    old = select(at).where(at < before).order_by(at)
    times = connection.execute(old.limit(limit)).scalars().all()
    if not times:
        return 0
    return connection.execute(idempotency.delete().where(at <= times[-1])).rowcount
