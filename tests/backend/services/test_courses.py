"""Courses, prices and the house itself: each change an entry, old enrollments untouched."""

from __future__ import annotations

from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from core.backend.services.errors import (
    ConflictError,
    InvalidError,
    NotAllowedError,
    NotFoundError,
)
from core.backend.services.identities import Asker, StudentIdentity
from core.domain.decisions import ReasonCode, Verdict
from core.domain.enrollment import PaymentMethod
from core.protocol.messages import (
    CardView,
    CourseChange,
    CourseLesson,
    CourseRow,
    NewCourse,
    WorkspaceSettings,
)
from tests.support.workspace import House

CHANGE = CourseChange(title="Bookkeeping II", summary="Further.", price_cents=200_000)


async def _asks(house: House) -> Asker:
    return (await house.administrator()).asking(str(uuid7()))


async def _row(house: House, course: UUID) -> CourseRow:
    return await house.services.workspace.course(course)


async def _card(house: House, student: StudentIdentity | None, course: UUID) -> CardView | None:
    cards = (await house.services.orchestrator.cards(student)).cards
    return next((card for card in cards if card.course == course), None)


async def _enroll(house: House, student: StudentIdentity, course: UUID) -> int:
    """What is to be paid."""
    payment = await house.services.orchestrator.enroll(
        student, course, PaymentMethod.EFT, key=str(uuid7())
    )
    assert payment.bank is not None
    return payment.bank.amount_cents


async def test_a_new_course_is_offered(house: House) -> None:
    body = NewCourse(
        title="Tax in Brief", summary="VAT and more.", price_cents=99_900,
        lessons=(CourseLesson(title="Start", body="Begin here."),),
    )  # fmt: skip
    asks, before = await _asks(house), house.size()
    row = await house.services.workspace.add(asks, body)
    assert (row.price_cents, row.lessons, row.enrollments, row.retired) == (99_900, 1, 0, False)
    assert await house.services.workspace.add(asks, body) == row
    assert house.size() == before + 1
    card = await _card(house, None, row.id)
    assert card is not None
    assert card.price_cents == 99_900
    leaf = house.leaves()[-1]
    assert (leaf.action, leaf.facts["price_cents"]) == ("course.added", 99_900)
    assert leaf.actor == asks.actor.code


async def test_a_new_price_is_for_later_rounds_only(house: House) -> None:
    course = house.courses[0]
    early, officer = await house.student(), await house.officer()
    enrollment = await house.claim(early)
    row = await house.services.workspace.change(await _asks(house), course.id, CHANGE)
    assert (row.title, row.price_cents, row.lessons) == ("Bookkeeping II", 200_000, 2)
    assert house.leaves()[-1].action == "course.changed"
    assert (await house.row(enrollment)).amount_cents == course.price_cents
    card = await _card(house, early, course.id)
    assert card is not None
    assert card.price_cents == course.price_cents
    late = await house.student()
    assert await _enroll(house, late, course.id) == 200_000
    # What the officer saw is still what is decided: the amount did not move.
    seen = await house.row(enrollment)
    reject = officer.sign(seen, Verdict.REJECT, reason=ReasonCode.NO_PAYMENT_FOUND)
    assert (await house.decide(officer, reject))[0].index is not None
    card = await _card(house, early, course.id)
    assert card is not None
    assert card.price_cents == 200_000  # of the round that would come now
    assert await _enroll(house, early, course.id) == 200_000
    house.verify()


async def test_lessons_are_replaced_only_when_they_are_given(house: House) -> None:
    course, lesson = house.courses[0].id, CourseLesson(title="One", body="Only this.")
    with_lessons = CHANGE.model_copy(update={"lessons": (lesson,)})
    row = await house.services.workspace.change(await _asks(house), course, with_lessons)
    assert row.lessons == 1
    row = await house.services.workspace.change(await _asks(house), course, CHANGE)
    assert row.lessons == 1


@pytest.mark.both_engines
async def test_a_retired_course_takes_nobody_new_and_keeps_its_students(house: House) -> None:
    course = house.courses[0].id
    approved, pending = await house.student(), await house.student()
    stranger, officer = await house.student(), await house.officer()
    enrollment = await house.claim(approved)
    await house.decide(officer, officer.sign(await house.row(enrollment)))
    waiting = await house.claim(pending)

    row = await house.services.workspace.retire(await _asks(house), course, retired=True)
    assert (row.retired, row.enrollments) == (True, 2)
    with pytest.raises(ConflictError, match="no new"):
        await _enroll(house, stranger, course)
    for visitor in (None, stranger):
        assert await _card(house, visitor, course) is None
    assert await _card(house, approved, course) is not None
    assert (await house.services.access.lessons(approved, course)).lessons
    # Whoever had enrolled already can still be approved, or be told no and leave.
    reject = officer.sign(
        await house.row(waiting), Verdict.REJECT, reason=ReasonCode.NO_PAYMENT_FOUND
    )
    assert (await house.decide(officer, reject))[0].index is not None
    with pytest.raises(ConflictError, match="no new"):
        await _enroll(house, pending, course)

    with pytest.raises(ConflictError, match="already"):
        await house.services.workspace.retire(await _asks(house), course, retired=True)
    assert (await house.services.workspace.change(await _asks(house), course, CHANGE)).retired
    await house.services.workspace.retire(await _asks(house), course, retired=False)
    with pytest.raises(ConflictError, match="already"):
        await house.services.workspace.retire(await _asks(house), course, retired=False)
    assert await _enroll(house, stranger, course) == 200_000
    actions = {leaf.action for leaf in house.leaves()}
    assert actions >= {"course.retired", "course.reopened"}
    house.verify()


async def test_courses_that_are_not_there_and_people_who_may_not(house: House) -> None:
    workspace, nowhere = house.services.workspace, uuid7()
    with pytest.raises(NotFoundError):
        await workspace.change(await _asks(house), nowhere, CHANGE)
    with pytest.raises(NotFoundError):
        await workspace.retire(await _asks(house), nowhere, retired=True)
    with pytest.raises(NotFoundError):
        await workspace.course(nowhere)
    course, settings = house.courses[0].id, await workspace.settings()
    body = NewCourse(title="No", price_cents=1)
    officer = await house.officer()
    before, asks = house.size(), officer.identity.asking("an-officers-key")
    for attempt in (
        workspace.add(asks, body),
        workspace.change(asks, course, CHANGE),
        workspace.retire(asks, course, retired=True),
        workspace.change_settings(asks, settings),
    ):
        with pytest.raises(NotAllowedError):
            await attempt
    assert house.size() == before


async def test_the_house_is_set_up_by_its_administrator(house: House) -> None:
    body = WorkspaceSettings(
        name="Other College", threshold_cents=None, bank="Other Bank", account_name="Other",
        account_number="123", branch_code="456",
    )  # fmt: skip
    workspace, asks = house.services.workspace, await _asks(house)
    assert await workspace.change_settings(asks, body) == body
    assert await workspace.settings() == body
    assert (await workspace.current()).name == "Other College"
    leaf = house.leaves()[-1]
    assert (leaf.action, leaf.actor) == ("workspace.set", asks.actor.code)
    with pytest.raises(InvalidError, match="branch code"):
        await workspace.change_settings(
            await _asks(house), body.model_copy(update={"branch_code": ""})
        )
    none = dict.fromkeys(("bank", "account_name", "account_number", "branch_code"), "")
    await workspace.change_settings(await _asks(house), body.model_copy(update=none))
    house.verify()
