"""`CourseAccessController`: lesson content for whoever has an open grant, and for nobody else.

Grants are opened and closed by the writer, in the transaction that decides (see
`storage/enrollment_writes.py`).
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection

from core.backend.services.errors import NotAllowedError, NotFoundError
from core.backend.services.identities import StudentIdentity
from core.backend.storage import lookups, queries
from core.backend.storage.reader import Reader
from core.backend.storage.records import Course
from core.protocol.messages import Lesson, LessonPage


class CourseAccessController:
    def __init__(self, *, reader: Reader) -> None:
        self._reader = reader

    async def lessons(self, student: StudentIdentity, course: UUID) -> LessonPage:
        """The lessons of a course. Raises NotFoundError, NotAllowedError."""
        found, has_access = await self._reader.run(lambda c: _read(c, student.student, course))
        if found is None:
            raise NotFoundError("unknown_course", "There is no such course.")
        if not has_access:
            raise NotAllowedError(
                "no_access", "This course opens when your payment has been approved."
            )
        return LessonPage(
            course=found.id,
            title=found.title,
            lessons=tuple(Lesson(title=x.title, body=x.body) for x in found.lessons),
        )


def _read(connection: Connection, student: UUID, course: UUID) -> tuple[Course | None, bool]:
    found = lookups.read_courses(connection, [course])
    return (found[0] if found else None), queries.has_open_grant(connection, student, course)
