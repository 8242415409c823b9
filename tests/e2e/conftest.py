"""The school behind the student page: our real backend, an officer with a device, a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, expect

from core.domain.decisions import Verdict
from core.protocol.messages import AnswerKind, EnrollmentRow
from tests.support.browser import StudentPage, find_chromium, launched, open_student_page

if TYPE_CHECKING:
    from tests.support.live_backend import LiveBackend
    from tests.support.live_people import LiveDevice, LiveStudent


@dataclass(frozen=True)
class Person:
    """Somebody who is not registered yet."""

    name: str = "Lerato Dlamini"
    email: str = "lerato@mail.example"
    password: str = "correct horse battery"


@dataclass(frozen=True)
class School:
    """What happens on the other side of the student page, over the real API."""

    backend: LiveBackend
    officer: LiveDevice

    @property
    def url(self) -> str:
        return self.backend.url

    @property
    def courses(self) -> tuple[str, ...]:
        """The titles of all courses, as on the page."""
        return tuple(course.title for course in self.backend.courses)

    def waiting(self) -> tuple[EnrollmentRow, ...]:
        """What the officer's pending list shows."""
        return self.backend.pending().rows

    def decide(self, verdict: Verdict) -> None:
        """The officer decides the one enrollment that waits, with a signed decision."""
        (row,) = self.waiting()
        act = self.backend.approve if verdict is Verdict.APPROVE else self.backend.reject
        assert act(self.officer, row.enrollment).kind is AnswerKind.ACCEPTED

    def offline(self) -> AbstractContextManager[None]:
        return self.backend.offline()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium on this machine (on Debian: apt-get install chromium)")
    with launched(executable) as running:
        yield running


@pytest.fixture
def school(live_backend: LiveBackend) -> School:
    return School(live_backend, live_backend.device())


@pytest.fixture
def course(school: School) -> str:
    return school.courses[0]


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def visitor(browser: Browser, school: School) -> Iterator[StudentPage]:
    """The page as somebody sees it who is not signed in."""
    with browser.new_context() as context:
        tab = open_student_page(context, school.url)
        yield tab
        assert not tab.problems


@pytest.fixture
def registered(live_backend: LiveBackend) -> LiveStudent:
    """The student of `student`, with the password."""
    return live_backend.student("Sipho Nkosi")


@pytest.fixture
def student(browser: Browser, school: School, registered: LiveStudent) -> Iterator[StudentPage]:
    """The page of a student who is signed in, and follows the live feed."""
    with browser.new_context() as context:
        cookie = {"name": "bursar_session", "value": registered.token, "url": school.url}
        context.add_cookies([cookie])  # type: ignore[list-item]  # its type wants every key
        tab = open_student_page(context, school.url)
        expect(tab.page.get_by_role("banner")).to_contain_text(registered.name)
        yield tab
        assert not tab.problems
