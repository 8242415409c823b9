"""The whole application in this process against our real backend: signing in, deciding, leaving."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from uuid_utils.compat import uuid7

from console.app import App
from console.arguments import Arguments
from console.office import Office
from console.preferences import PreferenceFile
from console.runtime.crash import CrashReporter
from console.theme import Theme
from console.theme_choice import ThemeChoice
from console.views.account import PasswordChangeDialog
from console.views.sign_in import SignInPage
from console.views.start import StartPage
from core.client.api import Api
from core.client.api_admin import AdminApi
from core.client.connection import ConnectionState
from core.client.http import open_http
from core.client.secrets import MemoryStore, open_secret_store
from core.client.session import SessionKeeper
from core.client.witness import WitnessState
from core.domain.roles import Role
from tests.support.keyrings import MemoryKeyring
from tests.support.live_backend import LiveBackend
from tests.support.live_template import PASSWORD
from tests.support.waiting import until
from tests.support.windows import dressed


@dataclass
class Running:
    """The application; `async with` it: its tasks live in the loop of the test alone."""

    app: App
    crashes: list[str]
    task: asyncio.Task[int] | None = None

    async def __aenter__(self) -> Running:
        self.app.window.show()
        self.task = asyncio.create_task(self.app.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.task is not None
        self.app.quit()
        assert await self.task == 0
        self.app.window.deleteLater()
        assert self.crashes == []

    @property
    def has_ended(self) -> bool:
        return self.task is not None and self.task.done()

    @property
    def office(self) -> Office:
        assert self.app.office is not None
        return self.app.office

    @property
    def sign_in(self) -> SignInPage:
        page = self.app.window.page
        assert isinstance(page, SignInPage)
        return page

    async def sign_in_as(self, email: str, password: str = PASSWORD) -> None:
        await until(lambda: isinstance(self.app.window.page, SignInPage), what="the sign-in page")
        self.sign_in.email.setText(email)
        self.sign_in.password.setText(password)
        self.sign_in.submit.click()


@pytest.fixture
def running(
    theme: Theme, live_backend: LiveBackend, tmp_path: Path, private_keyring: MemoryKeyring
) -> Running:
    assert private_keyring.secrets == {}
    crashes: list[str] = []
    window, start = dressed(theme), StartPage(theme)
    app = App(
        window=window,
        start=start,
        theme=theme,
        arguments=Arguments(tmp_path / "data", live_backend.url, None, automation=False),
        preferences=PreferenceFile(tmp_path / "data" / "preferences.json"),
        crash=CrashReporter(crashes.append),
    )
    return Running(app, crashes)


async def test_an_officer_signs_in_sees_the_list_and_signs_out(
    running: Running, live_backend: LiveBackend
) -> None:
    async with running:
        claimed = live_backend.claim()
        officer = live_backend.person(Role.OFFICER)
        await running.sign_in_as(officer.email, "not the password")
        await until(lambda: running.sign_in.notice.text, what="the refusal")
        await running.sign_in_as(officer.email)
        await until(lambda: running.app.office is not None, what="the office")
        office = running.office
        await until(lambda: office.model.row(claimed.enrollment) is not None, what="the claim")
        assert office.connection is ConnectionState.LIVE
        # A backend elsewhere: nothing counts as verified before a person compared the fingerprint.
        assert office.witness is not None
        assert office.witness.state is WitnessState.FIRST_CONTACT
        assert "not enrolled" in office.settings.console.shown["Key"].lower()
        office.sign_out_wanted.emit()
        await until(
            lambda: isinstance(running.app.window.page, SignInPage), what="the sign-in page"
        )
        assert running.app.office is None


async def test_whoever_was_disabled_reads_so_at_the_next_start(
    running: Running, live_backend: LiveBackend, private_keyring: MemoryKeyring
) -> None:
    officer = live_backend.person(Role.OFFICER)
    api = Api(open_http(live_backend.url), SessionKeeper(open_secret_store()[0], live_backend.url))
    await api.sign_in(officer.email, PASSWORD)  # as remembered by an earlier run
    await api.aclose()
    assert private_keyring.secrets
    users = live_backend.services.users
    live_backend.run(users.set_disabled(users.by_system(), officer.id, disabled=True))
    async with running:
        await until(
            lambda: isinstance(running.app.window.page, SignInPage), what="the sign-in page"
        )
        await until(lambda: running.sign_in.notice.text, what="the reason")
        assert "Your account was disabled. Ask an administrator." in running.sign_in.notice.text


async def test_an_unenrolled_console_keeps_the_decision(
    running: Running, live_backend: LiveBackend
) -> None:
    async with running:
        claimed = live_backend.claim()
        await running.sign_in_as(live_backend.person(Role.OFFICER).email)
        await until(lambda: running.app.office is not None, what="the office")
        office = running.office
        await until(lambda: office.model.row(claimed.enrollment) is not None, what="the claim")
        office.pending.table.select_key(claimed.enrollment)
        running.app.window.activateWindow()
        await until(running.app.window.isActiveWindow, what="keys reach the window")
        QTest.keyClick(office.pending.table, Qt.Key.Key_A)
        await until(
            lambda: office.model.overlay(claimed.enrollment) is not None, what="the overlay"
        )
        await until(
            lambda: office.model.state(claimed.enrollment).words == "Approval held", what="held"
        )
        assert office.waiting_to_send == 1
        assert live_backend.row(claimed.enrollment).waiting


async def test_the_look_is_remembered(running: Running, tmp_path: Path, theme: Theme) -> None:
    async with running:
        running.app.choose_theme(ThemeChoice.DARK)
        path = tmp_path / "data" / "preferences.json"
        await until(lambda: PreferenceFile(path).current.theme is ThemeChoice.DARK, what="the file")
        theme.choose(ThemeChoice.LIGHT)


async def test_closing_the_window_ends_the_run(running: Running) -> None:
    async with running:
        await until(
            lambda: isinstance(running.app.window.page, SignInPage), what="the sign-in page"
        )
        running.app.window.close()
        await until(lambda: running.has_ended, what="the end")
        assert not running.app.window.isVisible()


async def test_a_password_made_for_somebody_is_changed_first(
    running: Running, live_backend: LiveBackend
) -> None:
    async with running:
        http = open_http(live_backend.url)
        api = Api(http, SessionKeeper(MemoryStore(), "administrator"))
        await api.sign_in(live_backend.person(Role.ADMINISTRATOR).email, PASSWORD)
        made = await AdminApi(api, uuid7).add_user(
            name="Lerato Nkosi", email="lerato@college.example", roles=[Role.OFFICER]
        )
        await http.aclose()
        assert made.password is not None
        await running.sign_in_as("lerato@college.example", made.password)
        dialog = await password_dialog(running)
        dialog.reject()
        await until(lambda: running.sign_in.notice.text, what="the reminder")
        assert "password of your own" in running.sign_in.notice.text
        await until(running.sign_in.submit.isEnabled, what="the sign-in page again")
        await running.sign_in_as("lerato@college.example", made.password)
        dialog = await password_dialog(running)
        assert dialog.old.text() == made.password  # as just typed
        dialog.new.setText("a password of my own")
        dialog.again.setText("a password of my own")
        dialog.ok.click()
        await until(lambda: running.app.office is not None, what="the office")
        assert not running.office.entered.officer.must_change_password


async def password_dialog(running: Running) -> PasswordChangeDialog:
    def found() -> PasswordChangeDialog | None:
        dialogs = running.app.window.findChildren(PasswordChangeDialog)
        return next((dialog for dialog in dialogs if dialog.isVisible()), None)

    await until(found, what="the question for a password")
    dialog = found()
    assert dialog is not None
    return dialog


async def test_what_an_office_has_begun_ends_with_it(
    running: Running, live_backend: LiveBackend
) -> None:
    async with running:
        await running.sign_in_as(live_backend.person(Role.ADMINISTRATOR).email)
        await until(lambda: running.app.office is not None, what="the office")
        office = running.office
        with live_backend.held():  # no answer comes before the office is gone
            assert office.shell.open("administration")
            office.shell.open("settings")
            await until(lambda: office._tasks.is_running("own sessions"), what="a question asked")
            running.app._tasks.replace("enter", running.app._leave())
            await until(lambda: running.app.office is None, what="the office gone")
            await until(lambda: not office._tasks.is_running("own sessions"), what="the end of it")
