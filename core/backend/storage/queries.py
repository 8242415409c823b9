"""Reads for screens and feeds: batched, so that more rows never mean more statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select, tuple_

from core.backend.storage import lookups
from core.backend.storage.enrollments import read_enrollments
from core.backend.storage.ledger import Head, StoredEntry, read_entries, read_head
from core.backend.storage.records import Course, Student
from core.backend.storage.tables import (
    access_grants,
    courses,
    enrollments,
    staff_sessions,
    student_sessions,
    users,
)
from core.backend.storage.workspace import user_of
from core.domain.enrollment import Enrollment

ENROLLMENT_SUBJECT = "enrollment:"


@dataclass(frozen=True, slots=True)
class Bundle:
    """An enrollment with what people need to read it; `names`: of the staff it mentions."""

    enrollment: Enrollment
    student: Student
    course: Course
    names: Mapping[UUID, str]


@dataclass(frozen=True, slots=True)
class Changes:
    """Ledger entries in order, and the present state of the enrollments they are about."""

    entries: tuple[StoredEntry, ...]
    bundles: Mapping[str, Bundle]  # by subject


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the pending list ended: oldest claims come first."""

    waiting_since: datetime
    enrollment: UUID


@dataclass(frozen=True, slots=True)
class PendingPage:
    """`next_after` is None on the last page."""

    bundles: tuple[Bundle, ...]
    next_after: Place | None


def read_bundles(connection: Connection, ids: Iterable[UUID]) -> list[Bundle]:
    """In no order; unknown ids are left out."""
    wanted = list(ids)
    return _bundles(connection, enrollments.c.id.in_(wanted)) if wanted else []


def read_pending(connection: Connection, after: Place | None, limit: int) -> PendingPage:
    """The next `limit` enrollments whose claim waits, oldest claim first."""
    key = (enrollments.c.waiting_since, enrollments.c.id)
    query = select(*key).where(enrollments.c.waiting_since.is_not(None))
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(after.waiting_since, after.enrollment))
    places = [Place(*row) for row in connection.execute(query.order_by(*key).limit(limit))]
    found = {b.enrollment.id: b for b in read_bundles(connection, [p.enrollment for p in places])}
    is_last = len(places) < limit
    return PendingPage(
        bundles=tuple(found[place.enrollment] for place in places),
        next_after=None if is_last else places[-1],
    )


def _bundles(connection: Connection, condition: ColumnElement[bool]) -> list[Bundle]:
    found = read_enrollments(connection, condition).values()
    people = lookups.read_students(connection, {e.student for e in found})
    taught = lookups.read_courses(connection, {e.course for e in found})
    students = {student.id: student for student in people}
    by_course = {course.id: course for course in taught}
    names = read_names(connection, {user for e in found for user in _staff_of(e)})
    return [Bundle(e, students[e.student], by_course[e.course], names) for e in found]


def _staff_of(enrollment: Enrollment) -> set[UUID]:
    mentioned = {user_of(enrollment.status_by)}
    if enrollment.claim and enrollment.claim.first_signature:
        mentioned.add(enrollment.claim.first_signature.officer)
    return {user for user in mentioned if user is not None}


def read_names(connection: Connection, ids: set[UUID]) -> dict[UUID, str]:
    """Names of staff by id."""
    return {user.id: user.name for user in lookups.read_users(connection, ids)} if ids else {}


def read_all_courses(connection: Connection) -> list[Course]:
    """As they were added."""
    rows = connection.execute(select(courses).order_by(courses.c.id)).mappings()
    return [Course(**row) for row in rows]


def read_student_enrollments(connection: Connection, student: UUID) -> dict[UUID, Enrollment]:
    """A student's enrollments by course."""
    found = read_enrollments(connection, enrollments.c.student == student)
    return {e.course: e for e in found.values()}


def read_place(connection: Connection, student: UUID, course: UUID) -> Enrollment | None:
    """The one enrollment of a student in a course."""
    mine = (enrollments.c.student == student) & (enrollments.c.course == course)
    return next(iter(read_enrollments(connection, mine).values()), None)


def has_open_grant(connection: Connection, student: UUID, course: UUID) -> bool:
    """Whether access was granted and not withdrawn."""
    query = (
        select(access_grants.c.enrollment)
        .join(enrollments, enrollments.c.id == access_grants.c.enrollment)
        .where(
            enrollments.c.student == student,
            enrollments.c.course == course,
            access_grants.c.withdrawn_at.is_(None),
        )
    )
    return connection.execute(query.limit(1)).first() is not None


def read_changes(connection: Connection, begin: int, limit: int) -> tuple[Head, Changes]:
    """The head, and at most `limit` entries from `begin` on with their enrollments."""
    head = read_head(connection)
    entries = read_entries(connection, begin, min(head.size, begin + limit))
    subjects = {e.subject for e in entries if e.subject.startswith(ENROLLMENT_SUBJECT)}
    ids = {UUID(subject.removeprefix(ENROLLMENT_SUBJECT)) for subject in subjects}
    bundles = {f"{ENROLLMENT_SUBJECT}{b.enrollment.id}": b for b in read_bundles(connection, ids)}
    return head, Changes(tuple(entries), bundles)


@dataclass(frozen=True, slots=True)
class Ended:
    """Sessions that were revoked lately, and users who may not be here at all."""

    sessions: frozenset[UUID]
    disabled: frozenset[UUID]


def read_ended(connection: Connection, since: datetime) -> Ended:
    """What ended at `since` or later; few rows by nature."""
    sessions: set[UUID] = set()
    for table in (staff_sessions, student_sessions):
        query = select(table.c.id).where(table.c.revoked_at >= since)
        sessions.update(connection.execute(query).scalars())
    disabled = connection.execute(select(users.c.id).where(users.c.disabled.is_(True))).scalars()
    return Ended(frozenset(sessions), frozenset(disabled))
