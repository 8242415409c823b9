"""Reads for the Administration screen and for people's own sessions: few rows by nature."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, select

from core.backend.storage import lookups
from core.backend.storage.records import (
    Course,
    Device,
    DeviceRequest,
    RequestState,
    StaffSession,
    StudentSessionRow,
    User,
)
from core.backend.storage.tables import (
    courses,
    device_requests,
    devices,
    enrollments,
    staff_sessions,
    student_sessions,
    users,
)

MAX_SESSIONS = 200


@dataclass(frozen=True, slots=True)
class StaffUse:
    """One of the staff with what they have: enrolled devices, and sessions that are not over."""

    user: User
    devices: int
    sessions: tuple[StaffSession, ...]


def read_staff(connection: Connection, now: datetime) -> list[StaffUse]:
    """Everybody, by name."""
    people = [
        User(**row)
        for row in connection.execute(select(users).order_by(users.c.name, users.c.id)).mappings()
    ]
    return _with_use(connection, people, now)


def read_member(connection: Connection, user: UUID, now: datetime) -> StaffUse | None:
    found = _with_use(connection, lookups.read_users(connection, [user]), now)
    return found[0] if found else None


def _with_use(connection: Connection, people: list[User], now: datetime) -> list[StaffUse]:
    ids = [person.id for person in people]
    enrolled = (
        select(devices.c.user_id, func.count())
        .where(devices.c.user_id.in_(ids), devices.c.revoked_index.is_(None))
        .group_by(devices.c.user_id)
    )
    counts: dict[UUID, int] = {row[0]: row[1] for row in connection.execute(enrolled)}
    live = _live_sessions(connection, ids, now)
    return [StaffUse(p, counts.get(p.id, 0), tuple(live.get(p.id, ()))) for p in people]


def read_staff_sessions(connection: Connection, user: UUID, now: datetime) -> list[StaffSession]:
    """The newest row of each family that can still be renewed, newest first."""
    return _live_sessions(connection, [user], now).get(user, [])[:MAX_SESSIONS]


def _live_sessions(
    connection: Connection, ids: Iterable[UUID], now: datetime
) -> dict[UUID, list[StaffSession]]:
    rows = staff_sessions.c
    query = (
        select(staff_sessions)
        .where(
            rows.user_id.in_(list(ids)),
            rows.revoked_at.is_(None),
            rows.replaced.is_(False),
            rows.refresh_expires_at > now,
        )
        .order_by(rows.access_expires_at.desc(), rows.id.desc())
    )
    found: dict[UUID, dict[UUID, StaffSession]] = {}
    for row in connection.execute(query).mappings():
        session = StaffSession(**row)
        found.setdefault(session.user_id, {}).setdefault(session.family, session)
    return {user: list(families.values()) for user, families in found.items()}


def read_student_sessions(
    connection: Connection, student: UUID, now: datetime
) -> list[StudentSessionRow]:
    """Those that are not over, newest first."""
    rows = student_sessions.c
    query = (
        select(student_sessions)
        .where(rows.student_id == student, rows.revoked_at.is_(None), rows.expires_at > now)
        .order_by(rows.expires_at.desc(), rows.id.desc())
        .limit(MAX_SESSIONS)
    )
    return [StudentSessionRow(**row) for row in connection.execute(query).mappings()]


def count_other_requests(connection: Connection, user: UUID, device: UUID) -> int:
    """How many requests of this person wait, without this device's."""
    rows = device_requests.c
    query = select(func.count()).where(
        rows.user_id == user, rows.device != device, rows.state == RequestState.WAITING
    )
    return connection.execute(query).scalar_one()


@dataclass(frozen=True, slots=True)
class DeviceBook:
    """Everything about devices: `names` of their users, `times` of the entries they name."""

    requests: tuple[DeviceRequest, ...]
    devices: tuple[Device, ...]
    names: Mapping[UUID, str]
    times: Mapping[int, datetime]


def read_device_book(connection: Connection) -> DeviceBook:
    """The requests that wait, oldest first, and every device, newest first."""
    waiting = (
        select(device_requests)
        .where(device_requests.c.state == RequestState.WAITING)
        .order_by(device_requests.c.requested_at, device_requests.c.device)
    )
    requests = tuple(DeviceRequest(**row) for row in connection.execute(waiting).mappings())
    newest = select(devices).order_by(devices.c.enrolled_index.desc())
    known = tuple(Device(**row) for row in connection.execute(newest).mappings())
    people = {r.user_id for r in requests} | {d.user_id for d in known}
    indexes = {d.enrolled_index for d in known} | {
        d.revoked_index for d in known if d.revoked_index is not None
    }
    return DeviceBook(
        requests=requests,
        devices=known,
        names={u.id: u.name for u in lookups.read_users(connection, people)},
        times=lookups.read_entry_times(connection, indexes),
    )


def read_root_keys(connection: Connection) -> list[bytes]:
    """The public keys of all first devices, revoked ones too, in the order of the ledger."""
    query = select(devices.c.public_key).where(devices.c.root.is_(True))
    return list(connection.execute(query.order_by(devices.c.enrolled_index)).scalars())


@dataclass(frozen=True, slots=True)
class CourseUse:
    course: Course
    enrollments: int


def read_course_uses(connection: Connection) -> list[CourseUse]:
    """All courses as they were added, with how many enrollments each has."""
    per_course = select(enrollments.c.course, func.count()).group_by(enrollments.c.course)
    counts: dict[UUID, int] = {row[0]: row[1] for row in connection.execute(per_course)}
    rows = connection.execute(select(courses).order_by(courses.c.id)).mappings()
    return [CourseUse(Course(**row), counts.get(row["id"], 0)) for row in rows]
