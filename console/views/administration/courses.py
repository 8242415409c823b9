"""Courses and their prices."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from console.models.records import Cell, RecordColumn, RecordModel
from console.runtime.dialogs import confirm
from console.views.administration.page import Bench, RecordPage, problem_of
from console.views.administration.words import course_state
from console.widgets.form import FormDialog
from console.words import whole
from core.domain.money import MoneyError, format_rand, parse_rand
from core.protocol.messages import CourseRow

MAX_SUMMARY = 2000


class CoursesPage(RecordPage[CourseRow]):
    """Keys: N adds, E edits."""

    def __init__(self, bench: Bench) -> None:
        columns: tuple[RecordColumn[CourseRow], ...] = (
            RecordColumn("Title", lambda course: Cell(course.title)),
            RecordColumn(
                "Price",
                lambda course: Cell(format_rand(course.price_cents), course.price_cents),
                160,
                right=True,
            ),
            RecordColumn(
                "Enrollments",
                lambda course: Cell(whole(course.enrollments), course.enrollments),
                140,
                right=True,
            ),
            RecordColumn(
                "Lessons",
                lambda course: Cell(whole(course.lessons), course.lessons),
                110,
                right=True,
            ),
            RecordColumn("State", course_state, 130),
        )
        super().__init__(
            bench,
            RecordModel(columns, key=lambda course: course.id, dimmed=lambda c: c.retired),
            name="Courses",
            icon="graduation-cap",
            empty="There is no course yet. Add the first one.",
            hint="Select a course to edit or retire it.",
        )
        self.add_course = self.add_tool(
            "Add course…", self._add_wanted, icon="graduation-cap", key="N"
        )
        self.edit = self.add_action("Edit…", self._edit_wanted, key="E")
        self.retire = self.add_action(
            "Retire…",
            self._retire_wanted,
            words=lambda course: "Open again" if course.retired else "Retire…",
        )

    async def load(self) -> Sequence[CourseRow]:
        return await self.bench.port.courses()

    def name_of(self, record: CourseRow) -> str:
        return f"{record.title}, {format_rand(record.price_cents)}"

    # --- what can be done ---

    def _add_wanted(self) -> None:
        self.bench.start(self._ask(None))

    def _edit_wanted(self, course: CourseRow) -> None:
        self.bench.start(self._ask(course))

    async def _ask(self, course: CourseRow | None) -> None:
        dialog = CourseDialog(self.bench, course, self.bench.window)
        if await self.bench.ask(dialog):
            self.bench.tell("ok", f"{dialog.title_text} is saved.")
            self.refresh()

    def _retire_wanted(self, course: CourseRow) -> None:
        self.bench.start(self._reopen(course) if course.retired else self._retire(course))

    async def _reopen(self, course: CourseRow) -> None:
        problem = await problem_of(self.bench.port.reopen_course(course.id))
        self.bench.tell("danger" if problem else "ok", problem or f"{course.title} is open again.")
        self.refresh()

    async def _retire(self, course: CourseRow) -> None:
        sure = await confirm(
            self.bench.window,
            title=f"Retire {course.title}?",
            text="Nobody can enroll any more. Whoever is enrolled keeps access, and payments that"
            " wait can still be decided. You can open it again.",
            yes="Retire",
            danger=True,
        )
        if not sure:
            return
        problem = await problem_of(self.bench.port.retire_course(course.id))
        self.bench.tell("danger" if problem else "ok", problem or f"{course.title} is retired.")
        self.refresh()


class CourseDialog(FormDialog):
    """Adds a course, or changes one. The price is rand as people write them: `1 250.00`."""

    def __init__(self, bench: Bench, course: CourseRow | None, parent: QWidget) -> None:
        super().__init__(
            bench.theme,
            parent,
            title="Add a course" if course is None else "Edit the course",
            words=""
            if course is None
            else "A new price holds for new enrollments: whoever has enrolled pays the old one.",
            yes="Add course" if course is None else "Save",
            start=bench.start,
        )
        self._port, self._course = bench.port, course
        price = "" if course is None else format_rand(course.price_cents)
        self.course_title = self.add_line(
            "Title", hint="Bookkeeping to Trial Balance", text=course.title if course else ""
        )
        self.price = self.add_line("Price", hint="R 1 250.00", text=price, limit=24)
        self.summary = self.add_text("Summary", text=course.summary if course else "")
        self.check(self._missing)
        self.on_submit(self._save)
        self.course_title.setFocus()

    @property
    def title_text(self) -> str:
        return self.course_title.text().strip()

    def _missing(self) -> str:
        if not self.title_text:
            return "Write the title."
        try:
            parse_rand(self.price.text())
        except MoneyError as error:
            return f"Price: {error}"
        if len(self.summary.toPlainText()) > MAX_SUMMARY:
            return f"The summary has at most {MAX_SUMMARY} characters."
        return ""

    async def _save(self) -> str:
        title, summary = self.title_text, self.summary.toPlainText().strip()
        cents, course = parse_rand(self.price.text()), self._course
        if course is None:
            work = self._port.add_course(title=title, summary=summary, price_cents=cents)
        else:
            work = self._port.change_course(
                course.id, title=title, summary=summary, price_cents=cents
            )
        return await problem_of(work)
