"""A whole backend without a socket: real services over a migrated SQLite file of the test's own.

async with open_house(template, tmp_path) as house:
    claimed = await house.claim(await house.student())
    officer = await house.officer()
    answer = await house.decide(officer, officer.sign(await house.row(claimed)))
"""

from __future__ import annotations

import itertools
import secrets
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from uuid_utils.compat import uuid7

from core.backend.services.commands import EnrollCommand
from core.backend.services.container import BackendConfig, Services, build
from core.backend.services.identities import StaffIdentity, StudentIdentity
from core.backend.services.realtime import SyncLimits
from core.backend.storage import ledger
from core.backend.storage.tables import ledger_entries
from core.backend.storage.writer import Writer
from core.domain.enrollment import PaymentMethod
from core.domain.references import make_reference
from core.domain.roles import Role
from core.ledger.keys import SigningKey
from core.ledger.leaf import Leaf, decode
from core.ledger.tree import root_from_peaks
from core.ledger.verification import LogVerifier, Report
from core.protocol.messages import (
    DecisionAnswer,
    DecisionBatch,
    EnrollmentRow,
    RevokeDevice,
    SignedDecision,
    SignUp,
)
from core.protocol.signing import read_decision
from tests.support.ceremonies import revokes
from tests.support.live_people import LiveDevice
from tests.support.live_template import (
    ADDRESS,
    LiveCourse,
    Template,
    enroll_device,
    live_config,
    sign_in,
)

STUDENT_PASSWORD = "a students password"
FAST = SyncLimits(poll_seconds=0.05, checkpoint_seconds=0.0)


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC) + timedelta(minutes=1)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass(frozen=True)
class Officer:
    """One of the staff, signed in, with an enrolled device."""

    identity: StaffIdentity
    device: LiveDevice

    def sign(self, row: EnrollmentRow, *args: Any, **kwargs: Any) -> SignedDecision:
        """See `LiveDevice.decision`; `as_of` is 0 unless given."""
        return self.device.decision(row, *args, **{"as_of": 0} | kwargs)


def altered(by: Officer, item: SignedDecision, /, **changes: object) -> SignedDecision:
    """The same decision with other content, rightly signed."""
    decision = replace(read_decision(item.payload.encode()), **changes)  # type: ignore[arg-type]  # fields of a Decision
    return by.device.signed(decision, item.note)


@dataclass(frozen=True)
class House:
    """`start` is left to the test that wants the live feed."""

    services: Services
    template: Template
    clock: Clock
    _numbers: itertools.count[int]

    @property
    def courses(self) -> tuple[LiveCourse, ...]:
        return self.template.courses

    async def student(self, name: str = "Lerato Khumalo") -> StudentIdentity:
        """A new student, signed in."""
        email = f"student{next(self._numbers)}@mail.example"
        body = SignUp(name=name, email=email, password=STUDENT_PASSWORD)
        session = await self.services.accounts.student_sign_up(body, address=email)
        return session.identity

    async def claim(self, student: StudentIdentity | None = None, course: int = 0) -> UUID:
        """Enroll and say "I have paid": the enrollment's id. Course 2 is over the threshold."""
        person = student or await self.student()
        taught = self.courses[course].id
        orchestrator = self.services.orchestrator
        payment = await orchestrator.enroll(person, taught, PaymentMethod.EFT, key=str(uuid7()))
        await orchestrator.submit_eft(person, taught, key=str(uuid7()))
        assert payment.card.enrollment is not None
        return payment.card.enrollment

    async def officer(self, role: Role = Role.OFFICER, which: int = 0) -> Officer:
        """Somebody of that role with a device of their own; `which` 1 is the second officer."""
        services = self.services
        session = await sign_in(services, self.template.staff[role][which])
        administrator = await sign_in(services, self.template.staff[Role.ADMINISTRATOR][0])
        device, key = uuid7(), SigningKey(uuid7().bytes * 2)
        await enroll_device(
            services,
            owner=session,
            device=device,
            key=key,
            by_device=self.template.root_device,
            by_key=self.template.root_key,
            administrator=administrator,
        )
        identity = await services.accounts.staff_identity(session.access_token)
        return Officer(identity, LiveDevice(device, session, key))

    async def administrator(self) -> StaffIdentity:
        session = await sign_in(self.services, self.template.staff[Role.ADMINISTRATOR][0])
        return await self.services.accounts.staff_identity(session.access_token)

    def revocation(self, device: UUID) -> RevokeDevice:
        """Signed by the administrator's first device."""
        template = self.template
        return revokes(device, by_device=template.root_device, by_key=template.root_key)

    async def row(self, enrollment: UUID) -> EnrollmentRow:
        return (await self.services.approval.detail(enrollment)).row

    async def decide(self, officer: Officer, *items: SignedDecision) -> list[DecisionAnswer]:
        batch = DecisionBatch(items=items)
        return list((await self.services.approval.decide(officer.identity, batch)).results)

    def leaves(self) -> list[Leaf]:
        """The whole ledger, decoded."""
        return [decode(data) for data in self.leaf_bytes()]

    def leaf_bytes(self) -> list[bytes]:
        query = select(ledger_entries.c.leaf).order_by(ledger_entries.c.index)
        return self.services.reader.run_now(lambda c: list(c.execute(query).scalars()))

    def size(self) -> int:
        return self.services.reader.run_now(ledger.read_head).size

    def verify(self) -> Report:
        """Everything that the offline verifier checks, against the stored head."""
        head = self.services.reader.run_now(ledger.read_head)
        verifier = LogVerifier()
        for index, data in enumerate(self.leaf_bytes()):
            verifier.add(index, data)
        return verifier.finish(head.size, root_from_peaks(head.peaks))


def house_config(folder: Path, clock: Clock, **changes: Any) -> BackendConfig:
    return replace(live_config(folder, sync_limits=FAST), clock=clock, **changes)


def enroll_command(student: UUID, course: UUID) -> EnrollCommand:
    references = tuple(make_reference(secrets.randbelow) for _ in range(4))
    return EnrollCommand(
        student=student, course=course, method=PaymentMethod.EFT,
        enrollment=uuid7(), references=references, key=str(uuid7()),
    )  # fmt: skip


@contextmanager
def held(writer: Writer) -> Iterator[None]:
    """The writer's thread is busy inside; what is submitted meanwhile waits together."""
    go, busy = threading.Event(), threading.Event()

    def wait(_connection: Connection) -> None:
        busy.set()
        assert go.wait(10)

    with_job = threading.Thread(target=lambda: writer.run_now(wait))
    with_job.start()
    assert busy.wait(10)
    try:
        yield
    finally:
        go.set()
        with_job.join()


@asynccontextmanager
async def open_house(
    template: Template, folder: Path, *, clock: Clock | None = None, **changes: Any
) -> AsyncIterator[House]:
    """A house in `folder`, made from the template unless it is there; `changes` of its config."""
    is_new = not folder.exists()  # noqa: ASYNC240 - nothing else runs on a test's loop yet
    if is_new:
        template.copy_to(folder)
    clock = clock or Clock()
    services = build(house_config(folder, clock, **changes))
    try:
        first = 1 if is_new else services.reader.run_now(ledger.read_head).size + 1
        yield House(services, template, clock, itertools.count(first))
    finally:
        await services.stop()


@asynccontextmanager
async def open_node(first: House, folder: Path, **changes: Any) -> AsyncIterator[House]:
    """Another backend on the first one's database, with a state folder of its own."""
    folder.mkdir()  # noqa: ASYNC240 - a test's own loop
    (folder / ADDRESS).write_text(first.services.config.database_url)
    async with open_house(first.template, folder, clock=first.clock, **changes) as node:
        yield replace(node, _numbers=first._numbers)
