"""Small reads that give records; each takes many keys and makes one statement."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, Table, select

from core.backend.storage.keys import among
from core.backend.storage.records import (
    Course,
    Device,
    DeviceNumber,
    DeviceRequest,
    OneTimeCode,
    RequestState,
    StaffSession,
    Student,
    StudentSessionRow,
    User,
    WorkspaceSettings,
)
from core.backend.storage.tables import (
    courses,
    device_numbers,
    device_requests,
    devices,
    enrollments,
    ledger_entries,
    notes,
    one_time_codes,
    staff_sessions,
    student_sessions,
    students,
    users,
    workspace,
)

_R = TypeVar("_R")


def _records(
    connection: Connection, make: Callable[..., _R], table: Table, condition: ColumnElement[bool]
) -> list[_R]:
    rows = connection.execute(select(table).where(condition)).mappings()
    return [make(**row) for row in rows]


def _by(column: Column[_R], keys: Iterable[_R]) -> ColumnElement[bool]:
    return column.in_(list(keys))


def read_users(connection: Connection, ids: Iterable[UUID]) -> list[User]:
    return _records(connection, User, users, _by(users.c.id, ids))


def read_users_by_email(connection: Connection, emails: Iterable[str]) -> list[User]:
    return _records(connection, User, users, _by(users.c.email, emails))


def read_all_users(connection: Connection) -> list[User]:
    """Oldest first."""
    rows = connection.execute(select(users).order_by(users.c.id)).mappings()
    return [User(**row) for row in rows]


def read_sessions(connection: Connection, ids: Iterable[UUID]) -> list[StaffSession]:
    return _records(connection, StaffSession, staff_sessions, _by(staff_sessions.c.id, ids))


def read_staff_session(
    connection: Connection, *, access: bytes | None = None, refresh: bytes | None = None
) -> StaffSession | None:
    """The session with this hash of an access or of a refresh token."""
    column = staff_sessions.c.access_hash if access is not None else staff_sessions.c.refresh_hash
    token = access if access is not None else refresh
    found = _records(connection, StaffSession, staff_sessions, column == token)
    return found[0] if found else None


def read_student_session(connection: Connection, token: bytes) -> StudentSessionRow | None:
    condition = student_sessions.c.token_hash == token
    found = _records(connection, StudentSessionRow, student_sessions, condition)
    return found[0] if found else None


def read_students(connection: Connection, ids: Iterable[UUID]) -> list[Student]:
    return _records(connection, Student, students, _by(students.c.id, ids))


def read_students_by_index(connection: Connection, indexes: Iterable[bytes]) -> list[Student]:
    return _records(connection, Student, students, _by(students.c.email_index, indexes))


def read_commitments(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The commitments to name and email, by student."""
    query = select(students.c.id, students.c.commitment).where(_by(students.c.id, ids))
    return {row.id: row.commitment for row in connection.execute(query)}


def read_courses(connection: Connection, ids: Iterable[UUID]) -> list[Course]:
    return _records(connection, Course, courses, _by(courses.c.id, ids))


def read_devices(connection: Connection, ids: Iterable[UUID]) -> list[Device]:
    return _records(connection, Device, devices, _by(devices.c.id, ids))


def read_device_requests(connection: Connection, ids: Iterable[UUID]) -> list[DeviceRequest]:
    """The newest request of each of these devices."""
    condition = _by(device_requests.c.device, ids)
    found = _records(connection, DeviceRequest, device_requests, condition)
    return [replace(request, state=RequestState(request.state)) for request in found]


def read_numbers(connection: Connection, keys: Collection[tuple[UUID, int]]) -> list[DeviceNumber]:
    """Those of these (device, n) that were used, and perhaps others of these devices."""
    condition = among(device_numbers.c.device_id, device_numbers.c.n, keys)
    return _records(connection, DeviceNumber, device_numbers, condition)


def read_entry_times(connection: Connection, indexes: Iterable[int]) -> dict[int, datetime]:
    column = ledger_entries.c.index
    rows = connection.execute(select(column, ledger_entries.c.at).where(_by(column, indexes)))
    return {row[0]: row[1] for row in rows}


def read_codes(connection: Connection, hashes: Iterable[bytes]) -> list[OneTimeCode]:
    return _records(connection, OneTimeCode, one_time_codes, _by(one_time_codes.c.hash, hashes))


def read_taken_references(connection: Connection, references: Iterable[str]) -> set[str]:
    query = select(enrollments.c.reference).where(_by(enrollments.c.reference, references))
    return set(connection.execute(query).scalars())


def read_known_notes(connection: Connection, commitments: Iterable[str]) -> set[str]:
    query = select(notes.c.commitment).where(_by(notes.c.commitment, commitments))
    return set(connection.execute(query).scalars())


def read_notes(connection: Connection, commitments: Iterable[str]) -> dict[str, bytes]:
    """Sealed words, by their commitment."""
    query = select(notes.c.commitment, notes.c.sealed).where(_by(notes.c.commitment, commitments))
    return {row.commitment: row.sealed for row in connection.execute(query)}


def read_settings(connection: Connection) -> WorkspaceSettings:
    columns = [c for c in workspace.c if c.name != "id"]
    return WorkspaceSettings(**connection.execute(select(*columns)).mappings().one())
