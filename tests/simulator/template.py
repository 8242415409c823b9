"""The house that every world starts from: made once, always the same, copied for each seed."""

from __future__ import annotations

import asyncio
import base64
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from core.backend.services.accounts import Argon2Profile
from core.backend.services.commands import (
    EnrollCommand,
    RegisterStudentCommand,
    SubmitEftCommand,
)
from core.backend.services.container import BackendConfig, Services, build
from core.backend.services.rows import commitment_text, pack_person, student_place
from core.backend.storage.command import Command
from core.backend.storage.engine import open_engine, write_transaction
from core.backend.storage.migrate import migrate
from core.backend.storage.records import LessonText, Student
from core.backend.storage.tables import ledger_head
from core.backend.storage.vault import Vault
from core.client.device import DeviceKey
from core.domain.enrollment import PaymentMethod
from core.domain.references import make_reference
from core.domain.roles import Role
from core.ledger.commitments import commit
from core.ledger.keys import SigningKey
from core.protocol.messages import EnrollDevice, Session, SignIn, Workspace
from core.protocol.signing import device_payload
from tests.simulator.chance import Chance, Ids

DATABASE = "bursar.sqlite3"
PASSWORD = "correct horse battery"
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
THRESHOLD_CENTS = 500_000
CHECKPOINT_NAME = "bursar/ledger"
EPOCH = UUID(int=0xE90C)
STAFF = (
    ("Thandi Mokoena", Role.OFFICER),
    ("Pieter Botha", Role.OFFICER),
    ("Naledi Dlamini", Role.SUPERVISOR),
)
COURSES = (("Bookkeeping Basics", 125_000), ("Diploma in Accounting", 1_250_000))
STUDENTS = 5
CLAIMS = 4  # that wait from the beginning


@dataclass(frozen=True)
class Person:
    """One of the staff with the console that is theirs."""

    id: UUID
    name: str
    email: str
    role: Role
    key: DeviceKey


@dataclass(frozen=True)
class House:
    """Who and what there is. `folder` holds the database, never changed again."""

    folder: Path
    staff: tuple[Person, ...]
    students: tuple[UUID, ...]
    courses: tuple[UUID, ...]
    workspace: Workspace
    size: int

    def copy_to(self, folder: Path) -> None:
        shutil.copyfile(self.folder / DATABASE, folder / DATABASE)


def config_of(folder: Path) -> BackendConfig:
    chance = Chance(0, "template")
    return BackendConfig(
        database_url=database_url(folder),
        state_dir=folder,
        vault_current="test",
        vault_keys={"test": sha256(b"vault").digest()},
        email_index_key=sha256(b"email").digest(),
        checkpoint_seed=sha256(b"checkpoint").digest(),
        checkpoint_name=CHECKPOINT_NAME,
        argon2=Argon2Profile(time_cost=1, memory_kib=8, parallelism=1),
        clock=lambda: START - timedelta(days=1),
        new_id=Ids(chance),
        random_bytes=chance.randbytes,
    )


def vault_of(folder: Path) -> Vault:
    """Opens what the template sealed."""
    config = config_of(folder)
    return Vault(
        keys=config.vault_keys, current=config.vault_current,
        index_key=config.email_index_key, random_bytes=config.random_bytes,
    )  # fmt: skip


def database_url(folder: Path) -> str:
    return f"sqlite:///{folder / DATABASE}"


def make_house(folder: Path) -> House:
    """Migrate and fill a new database, the same bytes of ledger every time."""
    folder.mkdir(parents=True, exist_ok=True)
    config = config_of(folder)
    migrate(config.database_url)
    engine = open_engine(config.database_url)
    with write_transaction(engine) as connection:
        connection.execute(ledger_head.update().values(epoch=EPOCH))
    engine.dispose()
    services = build(config)
    try:
        return asyncio.run(_fill(services, folder))
    finally:
        services.close()


async def _fill(services: Services, folder: Path) -> House:
    await services.workspace.set(
        name="Test College", demo=False, threshold_cents=THRESHOLD_CENTS, bank="Test Bank",
        account_name="Test College", account_number="62000000001", branch_code="250655",
    )  # fmt: skip
    courses = [
        await services.workspace.add_course(
            title=title, summary="Step by step.", price_cents=cents,
            lessons=(LessonText("Welcome", "Welcome."),),
        )
        for title, cents in COURSES
    ]  # fmt: skip
    root = await _person(services, "Ayesha Patel", Role.ADMINISTRATOR)
    await _enroll_root(services, root)
    staff = [await _person(services, name, role) for name, role in STAFF]
    for person in staff:
        await _enroll_device(services, person, root)
    students = [await _student(services, number) for number in range(STUDENTS)]
    for number, student in enumerate(students[:CLAIMS]):
        await _claim(services, student, courses[number % len(courses)])
    workspace = await services.workspace.current()
    size = services.reader.run_now(lambda c: c.execute(ledger_head.select()).one().size)
    return House(folder, tuple(staff), tuple(students), tuple(courses), workspace, size)


async def _person(services: Services, name: str, role: Role) -> Person:
    email = f"{name.split(maxsplit=1)[0].lower()}@college.example"
    user = await services.accounts.add_user(
        email=email, name=name, password=PASSWORD, roles=frozenset({role})
    )
    key = DeviceKey(services.config.new_id(), user, SigningKey(sha256(name.encode()).digest()))
    return Person(user, name, email, role, key)


async def sign_in(services: Services, person: Person) -> Session:
    body = SignIn(email=person.email, password=PASSWORD)
    return await services.accounts.staff_sign_in(body, address="127.0.0.1")


async def _enroll_root(services: Services, root: Person) -> None:
    session = await sign_in(services, root)
    identity = await services.accounts.staff_identity(session.access_token)
    code = await services.devices.new_code()
    payload, signature = _signed(services, root, root)
    body = EnrollDevice(
        payload=payload.decode(), signature=base64.b64encode(signature).decode(), code=code
    )
    await services.devices.enroll(identity, body)


async def _enroll_device(services: Services, person: Person, root: Person) -> None:
    session = await sign_in(services, root)
    identity = await services.accounts.staff_identity(session.access_token)
    payload, signature = _signed(services, person, root)
    body = EnrollDevice(payload=payload.decode(), signature=base64.b64encode(signature).decode())
    await services.devices.enroll(identity, body)


def _signed(services: Services, person: Person, by: Person) -> tuple[bytes, bytes]:
    payload = device_payload(
        id=services.config.new_id(),
        device=person.key.id,
        user=person.id,
        roles=frozenset({person.role}),
        public_key=base64.b64encode(person.key.key.public).decode(),
        by_device=by.key.id,
    )
    return payload, by.key.key.sign(payload)


async def _claim(services: Services, student: UUID, course: UUID) -> None:
    new_id, chance = services.config.new_id, Chance(student.int, "reference")
    enroll = EnrollCommand(
        student=student, course=course, method=PaymentMethod.EFT, enrollment=new_id(),
        references=(make_reference(chance.randrange),), key=str(new_id()),
    )  # fmt: skip
    paid = SubmitEftCommand(student=student, course=course, claim=new_id(), key=str(new_id()))
    for command in (enroll, paid):
        await _accepted(services, command)


async def _accepted(services: Services, command: Command) -> None:
    outcome = await services.writer.submit(command)
    if not outcome.accepted:
        raise RuntimeError(f"the template cannot be filled: {outcome.answer.message}")


async def _student(services: Services, number: int) -> UUID:
    """Registered without a password of use: students of a world ask with their commands."""
    config = services.config
    id_, salt = config.new_id(), config.random_bytes(16)
    name, email = f"Student {number}", f"student{number}@mail.example"
    student = Student(
        id=id_,
        email_index=services.vault.email_index(email),
        sealed=services.vault.seal(pack_person(name, email), place=student_place(id_)),
        salt=salt,
        commitment=commit(salt, commitment_text(name, email)),
        password_hash="",
        created_at=config.clock(),
    )
    await _accepted(services, RegisterStudentCommand(student=student))
    return id_
