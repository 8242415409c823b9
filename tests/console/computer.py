"""An officer's computer for tests: consoles are started and closed on it, one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from PySide6.QtWidgets import QDialog

from console.app import App
from console.arguments import Arguments
from console.desk import Desk
from console.office import Office
from console.preferences import PreferenceFile
from console.runtime.crash import CrashReporter
from console.theme import Theme
from console.views.start import StartPage
from core.domain.roles import Role
from core.protocol.messages import DeviceState, EnrollmentRow
from tests.console.test_signing_in import Running
from tests.support.live_backend import LiveBackend
from tests.support.live_people import Claimed
from tests.support.live_template import enroll_device
from tests.support.waiting import until
from tests.support.windows import dressed

_Dialog = TypeVar("_Dialog", bound=QDialog)


@dataclass(frozen=True)
class Computer:
    """What stays between two starts: the folder, and the keyring of the test."""

    theme: Theme
    backend: LiveBackend
    folder: Path

    @asynccontextmanager
    async def console(self) -> AsyncIterator[Running]:
        """The whole application, from its start to its end."""
        crashes: list[str] = []
        app = App(
            window=dressed(self.theme),
            start=StartPage(self.theme),
            theme=self.theme,
            arguments=Arguments(self.folder, self.backend.url, None, automation=False),
            preferences=PreferenceFile(self.folder / "preferences.json"),
            crash=CrashReporter(crashes.append),
        )
        app._keeping._cost = 2**4  # a passphrase is derived at once
        async with Running(app, crashes) as running:
            yield running

    async def sign_in(self, running: Running, number: int = 0) -> Office:
        """As one of the two officers; their console is enrolled, and the ledger's key compared."""
        await running.sign_in_as(self.backend.person(Role.OFFICER, number).email)
        office = await opened(running)
        self.enroll(desk_of(running), number)
        await until(
            lambda: desk_of(running).enrollment.device.state is DeviceState.ENROLLED,
            what="the console enrolled",
        )
        await until(lambda: office.witness is not None, what="the ledger's key to compare")
        await desk_of(running).accept_first_contact()
        return office

    def enroll(self, desk: Desk, number: int = 0) -> None:
        """By the administrator's first device, as in a ceremony."""
        backend = self.backend
        template = backend._template
        backend.run(
            enroll_device(
                backend.services,
                owner=backend.staff(Role.OFFICER, number),
                device=desk.entered.device.id,
                key=desk.entered.device.key,
                by_device=template.root_device,
                by_key=template.root_key,
                administrator=backend.staff(Role.ADMINISTRATOR),
            )
        )


def desk_of(running: Running) -> Desk:
    assert running.app.desk is not None
    return running.app.desk


async def opened(running: Running) -> Office:
    """The office, once it is open."""
    await until(lambda: running.app.office is not None, what="the office")
    return running.office


async def rows_of(office: Office, claims: Sequence[Claimed]) -> list[EnrollmentRow]:
    """The rows of these claims, once they are in the list."""
    keys = [claimed.enrollment for claimed in claims]
    await until(
        lambda: all(office.model.row(key) is not None for key in keys),
        what="the claims in the list",
    )
    return [row for key in keys if (row := office.model.row(key)) is not None]


async def dialog_of(running: Running, kind: type[_Dialog]) -> _Dialog:
    """The dialog of this kind that is shown, once it is."""

    def found() -> _Dialog | None:
        dialogs = running.app.window.findChildren(kind)
        return next((dialog for dialog in dialogs if dialog.isVisible()), None)

    await until(found, what=kind.__name__)
    dialog = found()
    assert dialog is not None
    return dialog
