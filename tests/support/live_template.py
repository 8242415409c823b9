"""The workspace that live backends start from: made once per run, copied for each test."""

from __future__ import annotations

import asyncio
import base64
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from uuid_utils.compat import uuid7

from core.backend.services.accounts import Argon2Profile
from core.backend.services.container import BackendConfig, Services, build
from core.backend.services.realtime import SyncLimits
from core.backend.storage.migrate import migrate
from core.backend.storage.records import LessonText
from core.domain.roles import Role
from core.ledger.keys import SigningKey
from core.protocol.messages import EnrollDevice, Session, SignIn
from core.protocol.signing import device_payload

PASSWORD = "correct horse battery"
CHEAP_ARGON2 = Argon2Profile(time_cost=1, memory_kib=8, parallelism=1)
THRESHOLD_CENTS = 500_000
DATABASE = "bursar.sqlite3"
ADDRESS = "database-url"  # in a data folder whose database is not the file beside it


@dataclass(frozen=True)
class LiveCourse:
    id: UUID
    title: str
    price_cents: int


@dataclass(frozen=True)
class LivePerson:
    """One of the staff. Everybody's password is `PASSWORD`."""

    id: UUID
    name: str
    email: str


@dataclass(frozen=True)
class Template:
    """A data folder with a workspace, courses, staff and the first administrator's device.

    `staff[role]` are the people of that role; the second officer is there for second signatures.
    `clone` copies a database that is not in the folder, and gives the copy's address.
    """

    folder: Path
    courses: tuple[LiveCourse, ...]
    staff: Mapping[Role, tuple[LivePerson, ...]]
    root_device: UUID
    root_key: SigningKey
    clone: Callable[[], str] | None = None

    def copy_to(self, folder: Path) -> None:
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        if self.clone is not None:
            (folder / ADDRESS).write_text(self.clone())


STAFF = (
    (Role.OFFICER, "Thandi Mokoena", "thandi@college.example"),
    (Role.OFFICER, "Pieter Botha", "pieter@college.example"),
    (Role.SUPERVISOR, "Naledi Dlamini", "naledi@college.example"),
    (Role.ADMINISTRATOR, "Ayesha Patel", "ayesha@college.example"),
)
COURSES = (
    ("Bookkeeping Basics", 125_000),
    ("Payroll in Practice", 249_900),
    ("Diploma in Accounting", 1_250_000),  # over the threshold of two signatures
)


def live_config(
    folder: Path, *, url: str = "http://127.0.0.1", sync_limits: SyncLimits | None = None
) -> BackendConfig:
    """The configuration of a test's backend: fixed keys, cheap passwords."""
    return BackendConfig(
        database_url=database_url(folder),
        state_dir=folder,
        vault_current="test",
        vault_keys={"test": sha256(b"vault").digest()},
        email_index_key=sha256(b"email").digest(),
        checkpoint_seed=sha256(b"checkpoint").digest(),
        public_url=url,
        allowed_origins=frozenset({url}),
        argon2=CHEAP_ARGON2,
        sync_limits=sync_limits or SyncLimits(),
    )


def database_url(folder: Path) -> str:
    """The database of a data folder: the one that it names, or the file in it."""
    address = folder / ADDRESS
    return address.read_text() if address.exists() else f"sqlite:///{folder / DATABASE}"


def make_template(folder: Path, database: str | None = None) -> Template:
    """Fill a new database: the one at this address, or a file in the folder."""
    if database is not None:
        (folder / ADDRESS).write_text(database)
    config = live_config(folder)
    migrate(config.database_url)
    services = build(config)
    try:
        # In a thread of its own: a browser may hold the event loop of this one.
        with ThreadPoolExecutor(1) as aside:
            return aside.submit(lambda: asyncio.run(_fill(services, folder))).result()
    finally:
        services.close()


async def _fill(services: Services, folder: Path) -> Template:
    await services.workspace.set(
        name="Test College",
        demo=False,
        threshold_cents=THRESHOLD_CENTS,
        bank="Test Bank",
        account_name="Test College",
        account_number="62000000001",
        branch_code="250655",
    )
    courses = tuple([await _course(services, title, price) for title, price in COURSES])
    people: dict[Role, tuple[LivePerson, ...]] = {}
    for role, name, email in STAFF:
        user = await services.accounts.add_user(
            email=email, name=name, password=PASSWORD, roles=frozenset({role})
        )
        people[role] = (*people.get(role, ()), LivePerson(user, name, email))
    device, key = uuid7(), SigningKey(sha256(b"root device").digest())
    administrator = await sign_in(services, people[Role.ADMINISTRATOR][0])
    code = await services.devices.new_code()
    await enroll_device(
        services,
        owner=administrator,
        device=device,
        key=key,
        by_device=device,
        by_key=key,
        administrator=administrator,
        code=code,
    )
    return Template(folder, courses, people, device, key)


async def _course(services: Services, title: str, price: int) -> LiveCourse:
    course = await services.workspace.add_course(
        title=title,
        summary=f"{title}, step by step.",
        price_cents=price,
        lessons=(
            LessonText("Welcome", f"Welcome to {title}."),
            LessonText("Next steps", "Now you know how."),
        ),
    )
    return LiveCourse(course, title, price)


async def sign_in(services: Services, person: LivePerson) -> Session:
    body = SignIn(email=person.email, password=PASSWORD)
    return await services.accounts.staff_sign_in(body, address="127.0.0.1")


async def enroll_device(
    services: Services,
    *,
    owner: Session,
    device: UUID,
    key: SigningKey,
    by_device: UUID,
    by_key: SigningKey,
    administrator: Session,
    code: str | None = None,
) -> None:
    """Enroll `device` of `owner`, signed by `by_device`, asked for by `administrator`."""
    payload = device_payload(
        id=uuid7(),
        device=device,
        user=owner.user.id,
        roles=frozenset(owner.user.roles),
        public_key=base64.b64encode(key.public).decode(),
        by_device=by_device,
    )
    identity = await services.accounts.staff_identity(administrator.access_token)
    signature = base64.b64encode(by_key.sign(payload)).decode()
    body = EnrollDevice(payload=payload.decode(), signature=signature, code=code)
    await services.devices.enroll(identity, body)
