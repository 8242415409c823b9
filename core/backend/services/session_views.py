"""Sessions as people see their own: when, where, and which one this is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from core.backend.services.accounts import ACCESS_TIME, REFRESH_TIME, STUDENT_TIME
from core.backend.storage.records import StaffSession, StudentSessionRow
from core.protocol.messages import SessionList, SessionRow


def last_seen(session: StaffSession) -> datetime:
    """When these tokens were given: at most the life of an access token ago."""
    return session.access_expires_at - ACCESS_TIME


def staff_session_rows(found: Iterable[StaffSession], current: UUID | None = None) -> SessionList:
    """A session's id is its family's: refreshing makes no other session of it."""
    return SessionList(
        sessions=tuple(
            SessionRow(
                id=session.family,
                device=session.label,
                # Begun before this was kept: then at the last refresh at the latest.
                created_at=session.started_at or session.refresh_expires_at - REFRESH_TIME,
                seen_at=last_seen(session),
                current=session.family == current,
            )
            for session in found
        )
    )


def student_session_rows(found: Iterable[StudentSessionRow], current: UUID) -> SessionList:
    return SessionList(
        sessions=tuple(
            SessionRow(
                id=session.id,
                device=session.label,
                created_at=session.expires_at - STUDENT_TIME,
                seen_at=session.seen_at or session.expires_at - STUDENT_TIME,
                current=session.id == current,
            )
            for session in found
        )
    )
