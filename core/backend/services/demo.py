"""The demo workspace: clearly marked, made through the same commands as everything else.

No decision is seeded: only an enrolled device can sign one, and the first device is the console's.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from core.backend.services.container import Services
from core.backend.services.demo_content import COURSES, STUDENTS, DemoStudent
from core.backend.services.errors import ConflictError
from core.backend.services.tokens import new_token
from core.domain.enrollment import PaymentMethod
from core.domain.roles import Role

DEMO_NAME = "Bursar Demo College (demo data)"
DEMO_DOMAIN = "demo.bursar.example"
# The students of the demo own nothing: their password may be known.
STUDENT_PASSWORD = "demo-student"  # noqa: S105 - it guards invented people only
THRESHOLD_CENTS = 2_000_000


@dataclass(frozen=True, slots=True)
class _Person:
    name: str
    email: str
    roles: frozenset[Role]


STAFF = (
    _Person("Naledi Dlamini", f"admin@{DEMO_DOMAIN}", frozenset({Role.ADMINISTRATOR})),
    _Person("Thandi Mokoena", f"officer@{DEMO_DOMAIN}", frozenset({Role.OFFICER})),
    _Person("Pieter van Wyk", f"supervisor@{DEMO_DOMAIN}", frozenset({Role.SUPERVISOR})),
)


async def seed_demo(services: Services, *, staff_password: str | None = None) -> bool:
    """Fill the workspace; False, and nothing done, where it was filled before.

    A seeding that was cut off goes on where it was. Without `staff_password` the staff get random
    ones: the console that started the demo signs in by its one-time token.
    """
    if (await services.workspace.current()).name == DEMO_NAME:
        return False
    # Marked as a demo before there is anything in it.
    await _set_workspace(services, f"{DEMO_NAME}, being filled")
    for person in STAFF:
        with suppress(ConflictError):
            await services.accounts.add_user(
                email=person.email,
                name=person.name,
                password=staff_password or new_token(services.config.random_bytes),
                roles=person.roles,
            )
    courses = await _seed_courses(services)
    hashed = await services.accounts.hash_password(STUDENT_PASSWORD)
    await asyncio.gather(*(_seed_student(services, s, courses, hashed) for s in STUDENTS))
    await _set_workspace(services, DEMO_NAME)
    return True


async def _set_workspace(services: Services, name: str) -> None:
    await services.workspace.set(
        name=name,
        demo=True,
        threshold_cents=THRESHOLD_CENTS,
        bank="Demo Bank (not a real bank)",
        account_name="Bursar Demo College",
        account_number="0000 123 456",
        branch_code="000 000",
    )


async def _seed_courses(services: Services) -> list[UUID]:
    there = {card.title: card.course for card in (await services.orchestrator.cards(None)).cards}
    for course in COURSES:
        if course.title not in there:
            there[course.title] = await services.workspace.add_course(
                title=course.title,
                summary=course.summary,
                price_cents=course.price_cents,
                lessons=course.lessons,
            )
    return [there[course.title] for course in COURSES]


async def _seed_student(
    services: Services, student: DemoStudent, courses: list[UUID], password_hash: str
) -> None:
    email = f"{student.name.lower().replace(' ', '.')}@{DEMO_DOMAIN}"
    try:
        session = await services.accounts.add_invented_student(
            name=student.name, email=email, password_hash=password_hash
        )
    except ConflictError:
        return
    identity = session.identity
    for course in (*student.enrolled, *student.paid):
        await services.orchestrator.enroll(
            identity, courses[course], PaymentMethod.EFT, key=f"demo-enroll-{course}"
        )
    for course in student.paid:
        await services.orchestrator.submit_eft(identity, courses[course], key=f"demo-paid-{course}")
    await services.accounts.student_sign_out(session.token)
