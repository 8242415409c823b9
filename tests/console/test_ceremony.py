"""From a fresh backend to decisions that count: the first device, a request, an approval by voice.

The administrator's console is the whole application, the officer's a desk beside it, and between
them is our real backend.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from uuid_utils.compat import uuid7

from console.app import App, now
from console.arguments import Arguments
from console.desk import Desk
from console.entering import Place, enter_backend
from console.keeping import SafeKeeping
from console.preferences import PreferenceFile
from console.runtime.crash import CrashReporter
from console.runtime.dialogs import ConfirmDialog
from console.theme import Theme
from console.views.administration.device_request import DeviceRequestCard
from console.views.administration.screen import AdministrationScreen
from console.views.root_device import RootDevicePage
from console.views.start import StartPage
from core.backend.services.container import Services, build
from core.backend.storage.migrate import migrate
from core.client.outbox import OutboxState
from core.client.secrets import Durability, MemoryStore, SecretStore
from core.client.witness import Witness, WitnessState
from core.client.witness_file import AlarmKind
from core.domain.decisions import Verdict
from core.domain.enrollment import EnrollmentStatus
from core.domain.roles import Role
from core.ledger.keys import SigningKey
from core.protocol.messages import DeviceState
from tests.console.test_desk import Heard, row_of
from tests.console.test_signing_in import Running
from tests.support.keyrings import MemoryKeyring
from tests.support.live_backend import LiveBackend
from tests.support.live_template import (
    PASSWORD,
    LiveCourse,
    LivePerson,
    Template,
    enroll_device,
    live_config,
)
from tests.support.waiting import until
from tests.support.windows import dressed

PEOPLE = (
    (Role.ADMINISTRATOR, "Ayesha Patel", "ayesha@college.example"),
    (Role.OFFICER, "Thandi Mokoena", "thandi@college.example"),
)


async def _fill(services: Services, folder: Path) -> Template:
    """A course and two people, and nobody's device."""
    await services.workspace.set(
        name="Fresh College",
        demo=False,
        threshold_cents=None,
        bank="Test Bank",
        account_name="Fresh College",
        account_number="62000000002",
        branch_code="250655",
    )
    course = await services.workspace.add_course(
        title="Bookkeeping Basics", summary="Step by step.", price_cents=125_000, lessons=()
    )
    staff = {}
    for role, name, email in PEOPLE:
        user = await services.accounts.add_user(
            email=email, name=name, password=PASSWORD, roles=frozenset({role})
        )
        staff[role] = (LivePerson(user, name, email),)
    courses = (LiveCourse(course, "Bookkeeping Basics", 125_000),)
    return Template(folder, courses, staff, uuid7(), SigningKey(bytes(32)))


@pytest.fixture(scope="module")
def fresh_template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    folder = tmp_path_factory.mktemp("fresh")
    config = live_config(folder)
    migrate(config.database_url)
    services = build(config)
    try:
        return asyncio.run(_fill(services, folder))
    finally:
        services.close()


@pytest.fixture
def fresh(fresh_template: Template, tmp_path: Path) -> Iterator[LiveBackend]:
    """A backend that no device may sign for yet."""
    backend = LiveBackend(fresh_template, tmp_path / "backend")
    yield backend
    backend.close()


@pytest.fixture
def running(
    theme: Theme, fresh: LiveBackend, tmp_path: Path, private_keyring: MemoryKeyring
) -> Running:
    """The administrator's console."""
    assert private_keyring.secrets == {}
    crashes: list[str] = []
    app = App(
        window=dressed(theme),
        start=StartPage(theme),
        theme=theme,
        arguments=Arguments(tmp_path / "administrator", fresh.url, None, automation=False),
        preferences=PreferenceFile(tmp_path / "administrator" / "preferences.json"),
        crash=CrashReporter(crashes.append),
    )
    return Running(app, crashes)


@dataclass
class Officer:
    """The officer's console without its window."""

    desk: Desk
    heard: Heard

    @property
    def fingerprint(self) -> str:
        return self.desk.entered.device.fingerprint

    @property
    def state(self) -> DeviceState:
        return self.desk.enrollment.device.state


@asynccontextmanager
async def officers_console(backend: LiveBackend, folder: Path) -> AsyncIterator[Officer]:
    """Signed in with a password, as at a first start; its own keyring, its own files."""
    errors: list[str] = []
    store = MemoryStore()

    def open_store() -> tuple[SecretStore, Durability]:
        return store, Durability(remembered=True, message="")

    async with AsyncExitStack() as stack:
        keeping = SafeKeeping(folder / "secrets.sealed", open_keyring=open_store)
        place = Place(folder=folder, stack=stack, new_id=uuid7, keeping=keeping)
        email = backend.person(Role.OFFICER).email
        entered, files = await enter_backend(place, backend.url, email=email, password=PASSWORD)
        desk = Desk(
            entered,
            report=lambda error, name: errors.append(f"{name}: {error!r}"),
            now=now,
            new_id=uuid7,
        )
        stack.push_async_callback(desk.close)
        heard = Heard()
        witness = await Witness.open(
            files / "witness.json", source=entered.api, on_change=desk.witness_moved
        )
        await desk.start(heard, witness)
        await until(lambda: heard.snapshots, what="the first snapshot")
        yield Officer(desk, heard)
    assert errors == []


async def root_page(running: Running) -> RootDevicePage:
    await running.sign_in_as("ayesha@college.example")
    await until(lambda: isinstance(running.app.window.page, RootDevicePage), what="the code page")
    page = running.app.window.page
    assert isinstance(page, RootDevicePage)
    return page


async def make_root(running: Running, backend: LiveBackend) -> AdministrationScreen:
    """Give the code, and come to the office with an enrolled administrator's console."""
    page = await root_page(running)
    page.code.setText(backend.run(backend.services.devices.new_code()))
    page.submit.click()
    await until(lambda: not page.go_on.isHidden(), what="the first device")
    page.go_on.click()
    screen = running.office.administering.screen
    assert screen is not None
    return screen


async def card_of(running: Running, screen: AdministrationScreen) -> DeviceRequestCard:
    """The request that waits, reached by the banner."""
    banner = running.office.shell.banner
    await until(lambda: "First contact" in banner.text, what="the ledger's key to compare")
    banner._action.click()
    await until(lambda: "A console waits" in banner.text, what="the request")
    banner._action.click()
    await until(screen.devices.isVisible, what="the devices")
    return screen.devices.cards[0]


async def answer(running: Running, *, yes: bool = True) -> None:
    await until(lambda: running.app.window.findChild(ConfirmDialog), what="the question")
    question = running.app.window.findChild(ConfirmDialog)
    assert question is not None
    (question.yes if yes else question.no).click()
    await until(lambda: not running.app.window.findChild(ConfirmDialog), what="it gone")


async def test_the_whole_ceremony(running: Running, fresh: LiveBackend, tmp_path: Path) -> None:
    async with running, officers_console(fresh, tmp_path / "officer") as officer:
        # The officer's console asked by itself, decides already, and keeps the decision.
        await until(lambda: officer.state is DeviceState.WAITING, what="the officer's request")
        claimed = fresh.claim()
        row = await row_of(officer.heard, claimed)
        await officer.desk.decide(row, Verdict.APPROVE)
        await until(
            lambda: officer.heard.items and officer.heard.items[-1].reason_code == "device_pending",
            what="the decision held",
        )
        assert fresh.row(claimed.enrollment).waiting

        # The administrator's console becomes the first device, with the code from the server.
        page = await root_page(running)
        page.code.setText("this-is-not-the-code-at-all")
        page.submit.click()
        await until(lambda: page.notice.text, what="the refusal")
        page.code.setText(fresh.run(fresh.services.devices.new_code()))
        QTest.keyClick(page.code, Qt.Key.Key_Return)
        await until(lambda: not page.go_on.isHidden(), what="the first device")
        assert running.app.desk is not None
        root = running.app.desk.entered.device.fingerprint
        assert page.fingerprint.text == root
        page.go_on.click()
        screen = running.office.administering.screen
        assert screen is not None

        # It sees the request, compares the fingerprint with what the officer reads out, approves.
        card = await card_of(running, screen)
        assert card.fingerprint.text == officer.fingerprint
        assert not card.approve.isEnabled()
        card.compared.click()
        card.approve.click()

        # The held decision goes out without a click, and every console has pinned the root.
        await until(lambda: officer.heard.last(OutboxState.ACCEPTED), what="the decision sent")
        assert officer.heard.devices[-1] is DeviceState.ENROLLED
        assert fresh.row(claimed.enrollment).status is EnrollmentStatus.APPROVED
        await until(
            lambda: officer.heard.witness and officer.heard.witness.root_devices == (root,),
            what="the root pinned by the officer's console",
        )
        await until(lambda: screen.devices.waiting == 0, what="nobody waiting")


async def test_a_revoked_console_is_told_and_its_decisions_are_refused(
    running: Running, fresh: LiveBackend, tmp_path: Path
) -> None:
    async with running, officers_console(fresh, tmp_path / "officer") as officer:
        screen = await make_root(running, fresh)
        card = await card_of(running, screen)
        card.compared.click()
        card.approve.click()
        await until(lambda: officer.state is DeviceState.ENROLLED, what="the officer enrolled")

        page = screen.devices
        await until(lambda: page.model.record(officer.desk.entered.device.id), what="the device")
        page.table.select_key(officer.desk.entered.device.id)
        page.revoke.click()
        await answer(running, yes=False)
        assert DeviceState.REVOKED not in officer.heard.devices
        page.revoke.click()
        await answer(running)

        await until(lambda: officer.state is DeviceState.REVOKED, what="the news of it")
        row = await row_of(officer.heard, fresh.claim())
        await officer.desk.decide(row, Verdict.APPROVE)
        await until(lambda: officer.heard.last(OutboxState.REFUSED), what="the refusal")
        refused = officer.heard.last(OutboxState.REFUSED)
        assert refused is not None
        assert refused.answer is not None
        assert "revoked" in refused.answer.message
        assert fresh.row(row.enrollment).waiting


async def test_a_refused_console_can_ask_again(
    running: Running, fresh: LiveBackend, tmp_path: Path
) -> None:
    async with running, officers_console(fresh, tmp_path / "officer") as officer:
        screen = await make_root(running, fresh)
        card = await card_of(running, screen)
        card.refuse.click()
        await answer(running)
        await until(lambda: officer.state is DeviceState.REFUSED, what="the refusal")
        await until(lambda: screen.devices.waiting == 0, what="no request")
        await officer.desk.enrollment.ask_again()
        assert officer.state is DeviceState.WAITING
        await until(lambda: screen.devices.waiting == 1, what="the new request")


async def test_the_code_can_wait(running: Running, fresh: LiveBackend) -> None:
    async with running:
        page = await root_page(running)
        QTest.keyClick(page, Qt.Key.Key_Escape)
        await until(lambda: running.app.window.page is running.office.shell, what="the office")
        banner = running.office.shell.banner
        await until(lambda: "First contact" in banner.text, what="the ledger's key to compare")
        banner._action.click()
        await until(lambda: "No administrator's console" in banner.text, what="the reminder")
        banner._action.click()
        await until(lambda: running.app.window.page is page, what="the code page again")
        assert fresh.run(fresh.services.workspace.current()).root_fingerprints == ()


async def test_another_root_than_the_pinned_one_is_an_alarm(
    running: Running, fresh: LiveBackend, tmp_path: Path
) -> None:
    async with running, officers_console(fresh, tmp_path / "officer") as officer:
        await make_root(running, fresh)
        await until(
            lambda: officer.heard.witness and officer.heard.witness.root_devices,
            what="the root pinned",
        )
        intruder, administrator = uuid7(), fresh.staff(Role.ADMINISTRATOR)
        key = SigningKey(b"\x07" * 32)
        fresh.run(
            enroll_device(
                fresh.services,
                owner=administrator,
                device=intruder,
                key=key,
                by_device=intruder,
                by_key=key,
                administrator=administrator,
                code=fresh.run(fresh.services.devices.new_code()),
            )
        )
        await until(lambda: officer.heard.state is WitnessState.ALARM, what="the alarm")
        witness = officer.heard.witness
        assert witness is not None
        assert witness.alarm is not None
        assert witness.alarm.kind is AlarmKind.ROOT_DEVICE_CHANGED
        # A person who was told why takes it: both are known from then on.
        await officer.desk.accept_alarm()
        await until(
            lambda: officer.heard.witness and len(officer.heard.witness.root_devices) == 2,
            what="both roots pinned",
        )
