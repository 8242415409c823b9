"""A workspace in a folder: students, an officer with an enrolled console; nobody serves it yet."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from uuid_utils.compat import uuid7

from core.backend.services.container import Services, build
from core.client.device import load_or_create
from core.client.session import SessionKeeper
from core.domain.roles import Role
from core.ledger.keys import fingerprint
from tests.benchmarks.school import Pupil, add_courses, add_pupils, enroll, submit
from tests.crash.file_keyring import FileStore
from tests.support.live_template import (
    DATABASE,
    LivePerson,
    Template,
    enroll_device,
    live_config,
    make_template,
    sign_in,
)

STUDENTS = 12


@dataclass(frozen=True, slots=True)
class Seat:
    """A place in a course that a student has not asked for yet. `token` is the session cookie."""

    token: str
    course: UUID


@dataclass(frozen=True, kw_only=True)
class House:
    """`folder` holds the backend's database and keys, `data` what the console keeps.

    `watcher` is an access token of somebody on the staff who only looks.
    """

    folder: Path
    data: Path
    keyring: Path
    port: int
    officer: LivePerson
    watcher: str
    seats: Sequence[Seat]
    root_fingerprint: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        return self.folder / DATABASE


def make_house(folder: Path, *, port: int, seats: int, waiting: int = 0) -> House:
    """With room for at least so many payments beside those that wait; `folder` is empty."""
    folder.mkdir(parents=True, exist_ok=True)
    home = folder / "backend"
    home.mkdir()
    template = make_template(home)
    services = build(live_config(home))
    try:
        return asyncio.run(_furnish(services, template, folder, port, (waiting, seats)))
    finally:
        services.close()


async def _furnish(
    services: Services, template: Template, folder: Path, port: int, places: tuple[int, int]
) -> House:
    """`places`: with a payment that waits, and free ones."""
    pupils = await add_pupils(services, STUDENTS)
    courses = await add_courses(services, -(-sum(places) // STUDENTS))
    waiting = await enroll(services, pupils, courses, places[0])
    await submit(services, waiting)
    officer = template.staff[Role.OFFICER][0]
    keyring = folder / "keyring.json"
    await _enroll_console(services, template, officer, FileStore(keyring), port)
    watcher = await sign_in(services, template.staff[Role.SUPERVISOR][0])
    data = folder / "console"
    data.mkdir()
    return House(
        folder=template.folder,
        data=data,
        keyring=keyring,
        port=port,
        officer=officer,
        watcher=watcher.access_token,
        seats=_seats(pupils, courses)[len(waiting) :],
        root_fingerprint=fingerprint(template.root_key.public),
    )


async def _enroll_console(
    services: Services, template: Template, officer: LivePerson, store: FileStore, port: int
) -> None:
    """The console finds its key and its session in the keyring, as after a first day's work."""
    address = f"http://127.0.0.1:{port}"
    device = load_or_create(store, officer.id, backend=address, new_id=uuid7)
    session = await sign_in(services, officer)
    await enroll_device(
        services,
        owner=session,
        device=device.id,
        key=device.key,
        by_device=template.root_device,
        by_key=template.root_key,
        administrator=await sign_in(services, template.staff[Role.ADMINISTRATOR][0]),
    )
    await SessionKeeper(store, address).keep(session)


def _seats(pupils: Sequence[Pupil], courses: Sequence[UUID]) -> list[Seat]:
    return [Seat(pupil.token, course) for course in courses for pupil in pupils]
