"""Writes of sessions and one-time codes: no ledger entries, but through the writer, too."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from core.backend.storage.command import EndSessions, EndStudentSessions
from core.backend.storage.lookups import read_staff_session
from core.backend.storage.records import OneTimeCode, StaffSession, StudentSessionRow
from core.backend.storage.tables import one_time_codes, staff_sessions, student_sessions


def _columns(record: StaffSession | StudentSessionRow | OneTimeCode) -> dict[str, Any]:
    return {f.name: getattr(record, f.name) for f in fields(record)}


def add_staff_session(connection: Connection, session: StaffSession) -> bool:
    """False, and nothing written, where its family was revoked meanwhile."""
    revoked = select(staff_sessions.c.id).where(
        staff_sessions.c.family == session.family, staff_sessions.c.revoked_at.is_not(None)
    )
    if connection.execute(revoked.limit(1)).first() is not None:
        return False
    connection.execute(staff_sessions.insert(), _columns(session))
    return True


def spend_refresh(connection: Connection, refresh: bytes, now: datetime) -> StaffSession | None:
    """The session whose refresh token this is, now spent; None where it is good no more.

    A token that was spent before revokes its whole family.
    """
    session = read_staff_session(connection, refresh=refresh)
    if session is None or session.revoked_at is not None or session.refresh_expires_at <= now:
        return None
    if session.replaced:
        _revoke_family(connection, session.family, now)
        return None
    update = staff_sessions.update().where(staff_sessions.c.id == session.id)
    connection.execute(update.values(replaced=True))
    return session


def revoke_family_of(connection: Connection, session: UUID, now: datetime) -> None:
    """Revoke a session with everything it was refreshed from and into."""
    family = select(staff_sessions.c.family).where(staff_sessions.c.id == session)
    found = connection.execute(family).scalar_one_or_none()
    if found is not None:
        _revoke_family(connection, found, now)


def _revoke_family(connection: Connection, family: UUID, now: datetime) -> None:
    rows = staff_sessions.c
    update = staff_sessions.update().where(rows.family == family, rows.revoked_at.is_(None))
    connection.execute(update.values(revoked_at=now))


def end_sessions(connection: Connection, ended: EndSessions) -> None:
    """End one family of somebody's sessions, or all but one."""
    rows = staff_sessions.c
    which = (rows.user_id == ended.user) & rows.revoked_at.is_(None)
    if ended.family is not None:
        which &= rows.family == ended.family
    if ended.keep is not None:
        which &= rows.family != ended.keep
    connection.execute(staff_sessions.update().where(which).values(revoked_at=ended.at))


def end_student_sessions(connection: Connection, ended: EndStudentSessions) -> None:
    rows = student_sessions.c
    which = (rows.student_id == ended.student) & rows.revoked_at.is_(None)
    if ended.keep is not None:
        which &= rows.id != ended.keep
    connection.execute(student_sessions.update().where(which).values(revoked_at=ended.at))


def end_student_session(
    connection: Connection, student: UUID, session: UUID, now: datetime
) -> bool:
    """Whether the student had such a session that was not over yet."""
    rows = student_sessions.c
    mine = (rows.id == session) & (rows.student_id == student)
    live = mine & rows.revoked_at.is_(None) & (rows.expires_at > now)
    update = student_sessions.update().where(live).values(revoked_at=now)
    return connection.execute(update).rowcount == 1


def student_seen(connection: Connection, session: UUID, now: datetime) -> None:
    update = student_sessions.update().where(student_sessions.c.id == session)
    connection.execute(update.values(seen_at=now))


def add_student_session(connection: Connection, session: StudentSessionRow) -> None:
    connection.execute(student_sessions.insert(), _columns(session))


def revoke_student_session(connection: Connection, token: bytes, now: datetime) -> None:
    rows = student_sessions.c
    update = student_sessions.update().where(rows.token_hash == token, rows.revoked_at.is_(None))
    connection.execute(update.values(revoked_at=now))


def add_code(connection: Connection, code: OneTimeCode) -> None:
    connection.execute(one_time_codes.insert(), _columns(code))
