"""Users, devices and courses with believable data, behind ports that need no backend."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from core.client.errors import ClientError
from core.domain.roles import Role
from core.ledger.keys import SigningKey, fingerprint
from core.protocol.messages import (
    CourseRow,
    Device,
    DeviceList,
    DeviceRequestRow,
    DeviceRow,
    DeviceState,
    SessionRow,
    StaffMember,
    UserPassword,
    WorkspaceSettings,
)

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
ME = UUID(int=7)
COURSES = (
    ("Bookkeeping to Trial Balance", 125_000),
    ("Data Analysis with Spreadsheets", 289_950),
    ("Project Management Foundations", 450_000),
    ("Certificate in Financial Accounting", 1_249_900),
)
OFFICER, SUPERVISOR, ADMINISTRATOR = Role.OFFICER, Role.SUPERVISOR, Role.ADMINISTRATOR
MADE_UP = "tulip-harbour-41-meadow"


def user(
    number: int,
    name: str,
    *roles: Role,
    minutes: int | None = 5,
    disabled: bool = False,
    must_change: bool = False,
    devices: int = 1,
    sessions: int = 1,
) -> StaffMember:
    """`minutes` ago the person was seen; None is never."""
    return StaffMember(
        id=UUID(int=number),
        name=name,
        email=f"{name.split(maxsplit=1)[0].lower()}@bursar-demo.example.org",
        roles=roles,
        disabled=disabled,
        must_change_password=must_change,
        devices=devices,
        sessions=sessions,
        seen_at=None if minutes is None else NOW - timedelta(minutes=minutes),
    )


def staff() -> list[StaffMember]:
    return [
        user(ME.int, "Palesa Ndlovu", ADMINISTRATOR, minutes=1, sessions=2),
        user(21, "Thabo Mokoena", OFFICER, minutes=12),
        user(22, "Naledi Dlamini", OFFICER, minutes=47, devices=0),
        user(23, "Pieter Botha", OFFICER, SUPERVISOR, minutes=60 * 26, sessions=0),
        user(24, "Ayesha Patel", OFFICER, SUPERVISOR, ADMINISTRATOR, minutes=60 * 5),
        user(25, "Christiaan Oosthuizen-Labuschagne", SUPERVISOR, minutes=60 * 24 * 40, sessions=0,
             devices=0, disabled=True),
        user(26, "Zanele Mthembu", OFFICER, minutes=None, must_change=True, sessions=0, devices=0),
    ]  # fmt: skip


def public_key(number: int) -> bytes:
    return SigningKey(bytes([number]) * 32).public


def request(
    number: int = 22, name: str = "Naledi Dlamini", *, minutes: int = 4
) -> DeviceRequestRow:
    """Its `fingerprint` field is a lie: what is shown must come from the key."""
    return DeviceRequestRow(
        device=UUID(int=4_000 + number),
        user=UUID(int=number),
        user_name=name,
        roles=(OFFICER,),
        public_key=base64.b64encode(public_key(number)).decode(),
        fingerprint="0000 0000",
        requested_at=NOW - timedelta(minutes=minutes),
    )


def device(
    number: int, name: str, *roles: Role, days: int, root: bool = False, revoked: bool = False
) -> DeviceRow:
    return DeviceRow(
        id=UUID(int=4_000 + number),
        user=UUID(int=number),
        user_name=name,
        roles=roles,
        state=DeviceState.REVOKED if revoked else DeviceState.ENROLLED,
        fingerprint=fingerprint(public_key(number)),
        root=root,
        by_name="Palesa Ndlovu",
        enrolled_at=NOW - timedelta(days=days, minutes=17),
        revoked_at=NOW if revoked else None,
    )


def devices() -> list[DeviceRow]:
    return [
        device(21, "Thabo Mokoena", OFFICER, days=1),
        device(24, "Ayesha Patel", OFFICER, SUPERVISOR, ADMINISTRATOR, days=12),
        device(23, "Pieter Botha", OFFICER, SUPERVISOR, days=30),
        device(25, "Christiaan Oosthuizen-Labuschagne", SUPERVISOR, days=35, revoked=True),
        device(7, "Palesa Ndlovu", ADMINISTRATOR, days=41, root=True),
    ]


def courses() -> list[CourseRow]:
    return [
        CourseRow(
            id=UUID(int=1_000 + number),
            title=title,
            summary=f"{title}, step by step.",
            price_cents=cents,
            retired=number == 2,
            lessons=4 + number,
            enrollments=(1_240, 310, 12, 87)[number],
        )
        for number, (title, cents) in enumerate(COURSES)
    ]


def session(number: int, words: str, *, current: bool = False) -> SessionRow:
    return SessionRow(
        id=UUID(int=8_000 + number),
        device=words,
        created_at=NOW - timedelta(days=number, hours=2),
        seen_at=NOW - timedelta(minutes=11 * number + 1),
        current=current,
    )


def sessions() -> list[SessionRow]:
    return [
        session(1, "Bursar console on Linux"),
        session(0, "Bursar console on Windows", current=True),
        session(3, "Bursar console on Windows"),
    ]


@dataclass
class FakeHouse:
    """An `AdministrationPort` that keeps what it is told. `problem` fails whatever comes next."""

    staff: list[StaffMember] = field(default_factory=staff)
    requests: list[DeviceRequestRow] = field(default_factory=list)
    enrolled: list[DeviceRow] = field(default_factory=devices)
    open_courses: list[CourseRow] = field(default_factory=courses)
    signed_in: list[SessionRow] = field(default_factory=sessions)
    settings: WorkspaceSettings = field(
        default_factory=lambda: WorkspaceSettings(
            name="Bursar Demo College",
            threshold_cents=1_000_000,
            bank="First National Bank",
            account_name="Bursar Demo College (Pty) Ltd",
            account_number="62 1234 56789",
            branch_code="250655",
        )
    )
    done: list[str] = field(default_factory=list)
    problem: ClientError | None = None
    why_not_sign: str = ""

    async def users(self) -> tuple[StaffMember, ...]:
        await self._answer()
        return tuple(self.staff)

    async def add_user(self, *, name: str, email: str, roles: Collection[Role]) -> UserPassword:
        await self._answer(f"add {name} {email} {_names(roles)}")
        made = user(90, name, *roles, minutes=None, must_change=True, sessions=0, devices=0)
        self.staff.append(made)
        return UserPassword(user=made, password=MADE_UP)

    async def set_roles(self, user: UUID, roles: Collection[Role]) -> StaffMember:
        await self._answer(f"roles {user.int} {_names(roles)}")
        return self._change(user, roles=tuple(roles))

    async def disable_user(self, user: UUID) -> StaffMember:
        await self._answer(f"disable {user.int}")
        return self._change(user, disabled=True)

    async def enable_user(self, user: UUID) -> StaffMember:
        await self._answer(f"enable {user.int}")
        return self._change(user, disabled=False)

    async def new_password(self, user: UUID) -> UserPassword:
        await self._answer(f"password {user.int}")
        return UserPassword(user=self._change(user, must_change_password=True), password=MADE_UP)

    async def sessions_of(self, user: UUID) -> tuple[SessionRow, ...]:
        await self._answer(f"sessions {user.int}")
        return tuple(one.model_copy(update={"current": False}) for one in self.signed_in)

    async def end_session_of(self, user: UUID, session: UUID) -> None:
        await self._answer(f"end {user.int} {session.int}")
        self.signed_in = [one for one in self.signed_in if one.id != session]

    async def end_sessions_of(self, user: UUID) -> None:
        await self._answer(f"end all {user.int}")
        self.signed_in = []

    async def devices(self) -> DeviceList:
        await self._answer()
        return DeviceList(requests=tuple(self.requests), devices=tuple(self.enrolled))

    async def refuse_device(self, device: UUID) -> Device:
        await self._answer(f"refuse {device.int}")
        gone = next(one for one in self.requests if one.device == device)
        self.requests.remove(gone)
        return Device(
            id=device,
            user=gone.user,
            state=DeviceState.REFUSED,
            fingerprint=gone.fingerprint,
            root=False,
            next_n=0,
        )

    async def approve(self, asked: DeviceRequestRow) -> None:
        await self._answer(f"approve {asked.device.int}")
        self.requests.remove(asked)

    async def revoke(self, device: UUID) -> None:
        await self._answer(f"revoke {device.int}")
        self.enrolled = [
            one.model_copy(update={"state": DeviceState.REVOKED}) if one.id == device else one
            for one in self.enrolled
        ]

    async def courses(self) -> tuple[CourseRow, ...]:
        await self._answer()
        return tuple(self.open_courses)

    async def add_course(self, *, title: str, summary: str, price_cents: int) -> CourseRow:
        await self._answer(f"course {title} {price_cents} {summary}")
        made = courses()[0].model_copy(
            update={"id": UUID(int=1_900), "title": title, "price_cents": price_cents}
        )
        self.open_courses.append(made)
        return made

    async def change_course(
        self, course: UUID, *, title: str, summary: str, price_cents: int
    ) -> CourseRow:
        await self._answer(f"change {course.int} {title} {price_cents} {summary}")
        return self._course(course, title=title, summary=summary, price_cents=price_cents)

    async def retire_course(self, course: UUID) -> CourseRow:
        await self._answer(f"retire {course.int}")
        return self._course(course, retired=True)

    async def reopen_course(self, course: UUID) -> CourseRow:
        await self._answer(f"reopen {course.int}")
        return self._course(course, retired=False)

    async def workspace_settings(self) -> WorkspaceSettings:
        await self._answer()
        return self.settings

    async def set_workspace(self, settings: WorkspaceSettings) -> WorkspaceSettings:
        await self._answer("workspace")
        self.settings = settings
        return settings

    async def _answer(self, did: str = "") -> None:
        await asyncio.sleep(0)
        problem, self.problem = self.problem, None
        if problem is not None:
            raise problem
        if did:
            self.done.append(did)

    def _change(self, user: UUID, **fields: object) -> StaffMember:
        self.staff = [
            one.model_copy(update=fields) if one.id == user else one for one in self.staff
        ]
        return next(one for one in self.staff if one.id == user)

    def _course(self, course: UUID, **fields: object) -> CourseRow:
        self.open_courses = [
            one.model_copy(update=fields) if one.id == course else one for one in self.open_courses
        ]
        return next(one for one in self.open_courses if one.id == course)


@dataclass
class FakeAccount:
    """An `AccountPort`."""

    signed_in: list[SessionRow] = field(default_factory=sessions)
    done: list[str] = field(default_factory=list)
    problem: ClientError | None = None

    async def change_password(self, old: str, new: str) -> None:
        await self._answer(f"{old} -> {new}")

    async def sessions(self) -> tuple[SessionRow, ...]:
        await self._answer()
        return tuple(self.signed_in)

    async def end_session(self, session: UUID) -> None:
        await self._answer(f"end {session.int}")
        self.signed_in = [one for one in self.signed_in if one.id != session]

    async def end_other_sessions(self) -> None:
        await self._answer("end others")
        self.signed_in = [one for one in self.signed_in if one.current]

    async def _answer(self, did: str = "") -> None:
        await asyncio.sleep(0)
        problem, self.problem = self.problem, None
        if problem is not None:
            raise problem
        if did:
            self.done.append(did)


@dataclass
class FakeEnrollment:
    """An `EnrollmentPort`."""

    device: Device
    has_root: bool = True
    asked: int = 0
    renewed: int = 0
    problem: Exception | None = None

    async def ask_again(self) -> None:
        await asyncio.sleep(0)
        self.asked += 1

    async def make_new_key(self) -> None:
        await asyncio.sleep(0)
        if self.problem is not None:
            raise self.problem
        self.renewed += 1


def _names(roles: Collection[Role]) -> str:
    return "+".join(role.value for role in roles)
