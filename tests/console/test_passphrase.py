"""A computer without a keyring: a passphrase that keeps everything, or going on with nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends.null import Keyring as NullKeyring
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from console.models.overlay import Progress
from console.runtime.dialogs import ConfirmDialog
from console.theme import Theme
from console.views.passphrase import ChoosePassphraseDialog, UnlockDialog
from console.views.sign_in import SignInPage
from core.client.connection import ConnectionState
from core.client.errors import DecisionError
from core.domain.decisions import Verdict
from core.domain.enrollment import EnrollmentStatus
from core.domain.roles import Role
from tests.console.computer import Computer, desk_of, dialog_of, opened, rows_of
from tests.console.test_signing_in import Running
from tests.support.live_backend import LiveBackend
from tests.support.waiting import until

PASSPHRASE = "correct horse battery"


@pytest.fixture
def computer(theme: Theme, live_backend: LiveBackend, tmp_path: Path) -> Iterator[Computer]:
    """One whose keyring keeps nothing."""
    before = keyring.get_keyring()
    keyring.set_keyring(NullKeyring())  # type: ignore[no-untyped-call]  # keyring leaves it untyped
    yield Computer(theme, live_backend, tmp_path / "computer")
    keyring.set_keyring(before)


async def start_signing_in(computer: Computer, running: Running) -> ChoosePassphraseDialog:
    await running.sign_in_as(computer.backend.person(Role.OFFICER).email)
    return await dialog_of(running, ChoosePassphraseDialog)


async def choose(computer: Computer, running: Running) -> None:
    """Choose the passphrase, and come to the office. Nobody has enrolled the console yet."""
    dialog = await start_signing_in(computer, running)
    dialog.new.setText(PASSPHRASE)
    dialog.again.setText(PASSPHRASE)
    dialog.ok.click()
    await opened(running)


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


async def test_a_passphrase_keeps_sign_in_key_and_queue(computer: Computer) -> None:
    backend, claims = computer.backend, [computer.backend.claim()]
    async with computer.console() as running:
        await until(lambda: isinstance(running.app.window.page, SignInPage), what="the sign-in")
        assert "choose a passphrase" in running.sign_in.keyring.text()
        dialog = await start_signing_in(computer, running)
        dialog.new.setText("too short")
        dialog.ok.click()
        assert "at least 12 characters" in dialog.notice.text
        dialog.new.setText(PASSPHRASE)
        dialog.again.setText(PASSPHRASE[::-1])
        dialog.ok.click()
        assert "differ" in dialog.notice.text
        dialog.again.setText(PASSPHRASE)
        QTest.keyClick(dialog, Qt.Key.Key_Return)
        office = await opened(running)
        computer.enroll(desk_of(running))
        await rows_of(office, claims)
        assert "your passphrase" in desk_of(running).entered.durability.message
        device = desk_of(running).entered.device.id

    with backend.offline():
        async with computer.console() as running:
            unlock = await dialog_of(running, UnlockDialog)
            unlock.passphrase.setText("not the passphrase")
            unlock.ok.click()
            await until(lambda: "not the passphrase" in unlock.notice.text, what="the refusal")
            unlock.passphrase.setText(PASSPHRASE)
            unlock.ok.click()
            office = await opened(running)
            (row,) = await rows_of(office, claims)
            assert desk_of(running).entered.device.id == device
            office.deciding.approve(row)
            await until(
                lambda: (
                    (overlay := office.model.overlay(row.enrollment))
                    and overlay.progress is Progress.WAITING
                ),
                what="it waits",
            )

    async with computer.console() as running:
        unlock = await dialog_of(running, UnlockDialog)
        unlock.passphrase.setText(PASSPHRASE)
        unlock.ok.click()
        await until(
            lambda: backend.row(row.enrollment).status is EnrollmentStatus.APPROVED,
            what="sent after the start",
        )


async def test_a_forgotten_passphrase_costs_the_queue_and_deletes_nothing(
    computer: Computer,
) -> None:
    claims = [computer.backend.claim()]
    async with computer.console() as running:
        await choose(computer, running)
        (row,) = await rows_of(running.office, claims)
        await desk_of(running).decide(row, Verdict.APPROVE)
    before = files_in(computer.folder)
    assert {"secrets.sealed", "list-passphrase.sealed", "outbox-passphrase.sqlite3"} <= before

    async with computer.console() as running:
        unlock = await dialog_of(running, UnlockDialog)
        unlock.forgot.click()
        question = await dialog_of(running, ConfirmDialog)
        question.no.click()
        unlock = await dialog_of(running, UnlockDialog)
        unlock.forgot.click()
        question = await dialog_of(running, ConfirmDialog)
        question.yes.click()
        await choose(computer, running)
        (notice,) = await desk_of(running).notices()
        assert notice.path is not None
        assert notice.path.name in files_in(computer.folder)
    aside = [name for name in files_in(computer.folder) if ".aside-" in name]
    kept = {"secrets.sealed", "list-passphrase.sealed", "outbox-passphrase.sqlite3"}
    assert kept <= {name.partition(".aside-")[0] for name in aside}


async def test_without_one_nothing_is_kept_and_nothing_is_decided_offline(
    computer: Computer,
) -> None:
    backend, claims = computer.backend, computer.backend.push_claims(2)
    async with computer.console() as running:
        dialog = await start_signing_in(computer, running)
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
        office = await opened(running)
        desk = desk_of(running)
        computer.enroll(desk)
        first, second = await rows_of(office, claims)
        assert (
            "without a connection nothing can be decided"
            in office.settings.console.shown["Keyring"]
        )
        await desk.decide(first, Verdict.APPROVE)
        await until(
            lambda: backend.row(first.enrollment).status is EnrollmentStatus.APPROVED,
            what="decided while it is live",
        )
        with backend.offline():
            await until(lambda: office.connection is not ConnectionState.LIVE, what="the loss")
            with pytest.raises(DecisionError, match="There is no connection"):
                await desk.decide(second, Verdict.APPROVE)
        assert backend.row(second.enrollment).waiting
    assert files_in(computer.folder) <= {"witness.json", "preferences.json"}

    # The next start knows nobody.
    async with computer.console() as running:
        await until(lambda: isinstance(running.app.window.page, SignInPage), what="the sign-in")
