"""`WorkspaceAdmin`: the house itself: its name, bank account, threshold and courses."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import Connection

from core.backend.services.administration_commands import (
    ChangeCourseCommand,
    RetireCourseCommand,
)
from core.backend.services.commands import AddCourseCommand, SetWorkspaceCommand
from core.backend.services.errors import InvalidError, NotFoundError
from core.backend.services.identities import Asker
from core.backend.services.submitting import submit_or_raise
from core.backend.storage import administration, lookups
from core.backend.storage.reader import Reader
from core.backend.storage.records import Course, LessonText, WorkspaceSettings
from core.backend.storage.writer import Writer
from core.domain.money import MoneyError, check_cents
from core.domain.roles import SYSTEM
from core.ledger.commitments import SALT_BYTES
from core.ledger.keys import fingerprint
from core.ledger.text import write_base64
from core.protocol.messages import (
    CourseChange,
    CourseLesson,
    CourseList,
    CourseRow,
    NewCourse,
    Workspace,
)
from core.protocol.messages import WorkspaceSettings as SettingsView


class WorkspaceAdmin:
    """`checkpoint_public`: the 32 bytes of the key that signs checkpoints."""

    def __init__(
        self,
        *,
        reader: Reader,
        writer: Writer,
        new_id: Callable[[], UUID],
        random_bytes: Callable[[int], bytes],
        checkpoint_name: str,
        checkpoint_public: bytes,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._new_id = new_id
        self._random_bytes = random_bytes
        self._checkpoint_name = checkpoint_name
        self._checkpoint_public = checkpoint_public

    async def current(self) -> Workspace:
        settings, roots = await self._reader.run(_read_house)
        return Workspace(
            name=settings.name,
            demo=settings.demo,
            threshold_cents=settings.threshold_cents,
            checkpoint_name=self._checkpoint_name,
            checkpoint_key=write_base64(self._checkpoint_public),
            root_fingerprints=tuple(fingerprint(key) for key in roots),
        )

    async def settings(self) -> SettingsView:
        """With the bank account, for administrators."""
        settings = await self._reader.run(lookups.read_settings)
        return SettingsView(
            name=settings.name,
            threshold_cents=settings.threshold_cents,
            bank=settings.bank,
            account_name=settings.account_name,
            account_number=settings.account_number,
            branch_code=settings.branch_code,
        )

    async def change_settings(self, by: Asker, body: SettingsView) -> SettingsView:
        """Everything but whether this is a demo. Raises InvalidError (half a bank account)."""
        bank = (body.bank, body.account_name, body.account_number, body.branch_code)
        if any(bank) and not all(bank):
            message = "A bank account needs its bank, name, number and branch code."
            raise InvalidError("bank_incomplete", message)
        demo = (await self._reader.run(lookups.read_settings)).demo
        await self._set(by, _settings(body, demo=demo, salt=self._random_bytes(SALT_BYTES)))
        return await self.settings()

    async def set(
        self,
        *,
        name: str,
        demo: bool,
        threshold_cents: int | None,
        bank: str,
        account_name: str,
        account_number: str,
        branch_code: str,
    ) -> None:
        """The system sets up a house. Raises InvalidError for a threshold that is no amount."""
        settings = WorkspaceSettings(
            name=name,
            demo=demo,
            threshold_cents=None if threshold_cents is None else _amount(threshold_cents),
            bank=bank,
            account_name=account_name,
            account_number=account_number,
            branch_code=branch_code,
            salt=self._random_bytes(SALT_BYTES),
        )
        await self._set(self._by_system(), settings)

    async def _set(self, by: Asker, settings: WorkspaceSettings) -> None:
        command = SetWorkspaceCommand(
            settings=settings, actor=by.actor, session=by.session, key=by.key
        )
        await submit_or_raise(self._writer, command)

    # --- courses -------------------------------------------------------------------------------

    async def courses(self) -> CourseList:
        found = await self._reader.run(administration.read_course_uses)
        return CourseList(courses=tuple(_course_row(use) for use in found))

    async def course(self, course: UUID) -> CourseRow:
        """Raises NotFoundError."""
        found = (await self.courses()).courses
        row = next((row for row in found if row.id == course), None)
        if row is None:
            raise NotFoundError("unknown_course", "There is no such course.")
        return row

    async def add_course(
        self, *, title: str, summary: str, price_cents: int, lessons: tuple[LessonText, ...]
    ) -> UUID:
        """The system adds a course: its id. Raises InvalidError for a price that is no amount."""
        course = self._course(self._new_id(), title, summary, price_cents, lessons)
        return await self._add(self._by_system(), course)

    async def add(self, by: Asker, body: NewCourse) -> CourseRow:
        lessons = _lessons(body.lessons)
        course = self._course(self._new_id(), body.title, body.summary, body.price_cents, lessons)
        return await self.course(await self._add(by, course))

    async def change(self, by: Asker, course: UUID, body: CourseChange) -> CourseRow:
        """A new price is for later rounds only: enrollments keep theirs. Raises NotFoundError."""
        lessons = _lessons(body.lessons or ())
        command = ChangeCourseCommand(
            actor=by.actor, session=by.session, key=by.key,
            course=self._course(course, body.title, body.summary, body.price_cents, lessons),
            keep_lessons=body.lessons is None,
        )  # fmt: skip
        await submit_or_raise(self._writer, command)
        return await self.course(course)

    async def retire(self, by: Asker, course: UUID, *, retired: bool) -> CourseRow:
        """No new enrollments; whoever has access keeps it. Raises NotFoundError, ConflictError."""
        command = RetireCourseCommand(
            actor=by.actor, session=by.session, key=by.key, course=course, retired=retired
        )
        await submit_or_raise(self._writer, command)
        return await self.course(course)

    def _course(
        self, id_: UUID, title: str, summary: str, cents: int, lessons: tuple[LessonText, ...]
    ) -> Course:
        return Course(
            id=id_,
            title=title,
            summary=summary,
            price_cents=_amount(cents),
            salt=self._random_bytes(SALT_BYTES),
            lessons=lessons,
        )

    async def _add(self, by: Asker, course: Course) -> UUID:
        command = AddCourseCommand(course=course, actor=by.actor, session=by.session, key=by.key)
        answer = (await submit_or_raise(self._writer, command)).answer
        return answer.subject or course.id

    def _by_system(self) -> Asker:
        return Asker(SYSTEM, None, str(self._new_id()))


def _read_house(connection: Connection) -> tuple[WorkspaceSettings, list[bytes]]:
    return lookups.read_settings(connection), administration.read_root_keys(connection)


def _settings(body: SettingsView, *, demo: bool, salt: bytes) -> WorkspaceSettings:
    return WorkspaceSettings(
        name=body.name,
        demo=demo,
        threshold_cents=body.threshold_cents,
        bank=body.bank,
        account_name=body.account_name,
        account_number=body.account_number,
        branch_code=body.branch_code,
        salt=salt,
    )


def _lessons(lessons: tuple[CourseLesson, ...]) -> tuple[LessonText, ...]:
    return tuple(LessonText(lesson.title, lesson.body) for lesson in lessons)


def _course_row(use: administration.CourseUse) -> CourseRow:
    course = use.course
    return CourseRow(
        id=course.id,
        title=course.title,
        summary=course.summary,
        price_cents=course.price_cents,
        retired=course.retired,
        lessons=len(course.lessons),
        enrollments=use.enrollments,
    )


def _amount(cents: int) -> int:
    try:
        return check_cents(cents)
    except MoneyError as error:
        raise InvalidError("wrong_amount", str(error)) from error
