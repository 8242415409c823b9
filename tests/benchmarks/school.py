"""A workspace with as many students, courses and claims as a benchmark wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from uuid_utils.compat import uuid7

from core.backend.configuring import folder_config
from core.backend.services.container import BackendConfig, Services, build
from core.backend.services.demo import seed_demo
from core.backend.services.identities import StudentIdentity
from core.backend.storage.migrate import migrate
from core.backend.storage.records import LessonText
from core.domain.enrollment import PaymentMethod
from core.protocol.messages import EnrollmentRow, SignUp
from tests.support.live_template import CHEAP_ARGON2, PASSWORD

PRICE_CENTS = 125_000
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Pupil:
    """`token` is the session cookie."""

    token: str
    identity: StudentIdentity


@dataclass(frozen=True, slots=True)
class Place:
    """One student's place in one course."""

    pupil: Pupil
    course: UUID
    reference: str


async def add_courses(services: Services, count: int) -> list[UUID]:
    """Cheap enough for one signature."""
    lesson = (LessonText("Welcome", "Welcome."),)
    return [
        await services.workspace.add_course(
            title=f"Course {number:03}", summary="A course.", price_cents=PRICE_CENTS,
            lessons=lesson,
        )
        for number in range(count)
    ]  # fmt: skip


async def add_pupils(services: Services, count: int) -> list[Pupil]:
    made = []
    for number in range(count):
        name = f"Pupil {number:04}"
        body = SignUp(name=name, email=f"pupil{number}@mail.example", password=PASSWORD)
        session = await services.accounts.student_sign_up(body, address=name)
        made.append(Pupil(session.token, session.identity))
    return made


async def enroll(
    services: Services, pupils: Sequence[Pupil], courses: Sequence[UUID], count: int
) -> list[Place]:
    """`count` places, a course at a time, nothing paid yet."""
    wanted = [(pupil, course) for course in courses for pupil in pupils][:count]
    places: list[Place] = []
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        places += await asyncio.gather(*(_enroll(services, *pair) for pair in some))
    return places


async def _enroll(services: Services, pupil: Pupil, course: UUID) -> Place:
    payment = await services.orchestrator.enroll(
        pupil.identity, course, PaymentMethod.EFT, key=str(uuid7())
    )
    assert payment.bank is not None
    return Place(pupil, course, payment.bank.reference.replace("-", ""))


async def submit(services: Services, places: Sequence[Place]) -> None:
    """Everybody says: I have paid."""
    for start in range(0, len(places), _AT_ONCE):
        some = places[start : start + _AT_ONCE]
        await asyncio.gather(*(_submit(services, place) for place in some))


async def _submit(services: Services, place: Place) -> None:
    await services.orchestrator.submit_eft(place.pupil.identity, place.course, key=str(uuid7()))


async def waiting_rows(services: Services) -> list[EnrollmentRow]:
    """The whole pending list."""
    rows: list[EnrollmentRow] = []
    after: str | None = None
    while True:
        page = await services.approval.pending(after=after, limit=500)
        rows += page.rows
        after = page.next_after
        if after is None:
            return rows


@asynccontextmanager
async def opened(config: BackendConfig) -> AsyncIterator[Services]:
    """The services over a database that nobody serves, closed at the end."""
    services = build(config)
    try:
        yield services
    finally:
        services.close()


async def make_demo(folder: Path, *, pupils: int, courses: int, places: int) -> list[Place]:
    """The demo workspace in a console's data folder, with more people; nothing paid yet."""
    home = folder / "demo"
    home.mkdir(mode=0o700)
    config = replace(folder_config(home), argon2=CHEAP_ARGON2)
    migrate(config.database_url)
    async with opened(config) as services:
        await seed_demo(services)
        people = await add_pupils(services, pupils)
        return await enroll(services, people, await add_courses(services, courses), places)
