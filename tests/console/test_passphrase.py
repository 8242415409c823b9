"""A computer without a keyring: a passphrase that keeps everything, or going on with nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends.null import Keyring as NullKeyring
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from console.elsewhere import Behind, Elsewhere
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
from tests.console.test_offline import end_sessions
from tests.console.test_signing_in import Running
from tests.support.keyrings import MemoryKeyring
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
    await running.sign_in_as(computer.backend.person(Role.OFFICER).email)
    await choose_in(running)


async def choose_in(running: Running) -> None:
    """The same from where the dialog comes."""
    dialog = await dialog_of(running, ChoosePassphraseDialog)
    dialog.new.setText(PASSPHRASE)
    dialog.again.setText(PASSPHRASE)
    dialog.ok.click()
    await opened(running)


def no_dialog(running: Running) -> bool:
    return not any(found.isVisible() for found in running.app.window.findChildren(ConfirmDialog))


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
    assert files_in(computer.folder) <= {"witness.json", "preferences.json", "address"}

    # The next start knows nobody.
    async with computer.console() as running:
        await until(lambda: isinstance(running.app.window.page, SignInPage), what="the sign-in")


async def test_with_nothing_kept_a_decision_waits_in_memory_for_the_whole_run(
    computer: Computer,
) -> None:
    backend, claims = computer.backend, [computer.backend.claim()]
    officer = backend.person(Role.OFFICER)
    async with computer.console() as running:
        dialog = await start_signing_in(computer, running)
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
        (row,) = await rows_of(await opened(running), claims)
        device = desk_of(running).entered.device.id
        held = await desk_of(running).decide(row, Verdict.APPROVE)  # nobody has enrolled it yet
        await until(lambda: running.office.waiting_to_send == 1, what="it waits")

        # The session ends, and the banner leads to the sign-in; the first try goes wrong.
        end_sessions(backend)
        running.office._desk.retry_now()
        banner = running.office.shell.banner
        await until(lambda: "Your sign-in has ended" in banner.text, what="the banner")
        assert "lost if you close Bursar" in banner.text
        banner._action.click()
        await running.sign_in_as(officer.email, "not the password")
        await until(
            lambda: isinstance(running.app.window.page, SignInPage) and running.sign_in.notice.text,
            what="the refusal",
        )
        assert running.app.office is None
        running.app.window.close()
        question = await dialog_of(running, ConfirmDialog)
        assert question.windowTitle() == "1 decision is not sent yet"
        question.no.click()
        await running.sign_in_as(officer.email)
        await opened(running)
        assert desk_of(running).entered.device.id == device
        assert [item.id for item in await desk_of(running).outbox_items()] == [held.id]

        # Connecting elsewhere asks first; whoever stays has lost nothing.
        await until(lambda: running.office.waiting_to_send == 1, what="it is shown")
        running.office.connect_wanted.emit()
        await until(lambda: isinstance(running.app.window.page, SignInPage), what="the sign-in")
        page = running.sign_in
        page.address.setText("https://elsewhere.example.org")
        page.email.setText(officer.email)
        page.password.setText("a password")
        for leave in (page.submit, page.demo):
            leave.click()
            question = await dialog_of(running, ConfirmDialog)
            assert question.yes.text() == "Connect elsewhere"
            question.no.click()
            await until(page.submit.isEnabled, what="the page as it was")
            await until(lambda: no_dialog(running), what="the question gone")
        page.back.click()

        # So does signing out, which costs nothing either.
        running.office.sign_out_wanted.emit()
        question = await dialog_of(running, ConfirmDialog)
        words = " ".join(found.text() for found in question.findChildren(QLabel))
        assert "nothing is kept on this computer" in words
        question.yes.click()
        await running.sign_in_as(officer.email)
        await opened(running)
        computer.enroll(desk_of(running))
        await desk_of(running).enrollment.look_again()
        await until(
            lambda: backend.row(row.enrollment).status is EnrollmentStatus.APPROVED,
            what="sent in the end",
        )


async def test_a_keyring_that_was_locked_for_a_day_costs_no_decision(computer: Computer) -> None:
    backend, claims = computer.backend, [computer.backend.claim()]
    locked, unlocked = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(unlocked)
    async with computer.console() as running:
        await rows_of(await computer.sign_in(running), claims)
    with backend.offline():
        async with computer.console() as running:
            (row,) = await rows_of(await opened(running), claims)
            running.office.deciding.approve(row)
            await until(lambda: running.office.waiting_to_send == 1, what="it waits")

    keyring.set_keyring(locked)
    async with computer.console() as running:
        await running.sign_in_as(backend.person(Role.OFFICER).email)
        question = await dialog_of(running, ConfirmDialog)
        assert question.windowTitle() == "1 decision waits behind the keyring"
        question.no.click()
        await choose_in(running)
        told = running.office.outbox.notices
        assert told.elsewhere == [Elsewhere(Behind.KEYRING, mine=1, others=0).words]
        assert not told.isHidden()
        assert backend.row(row.enrollment).waiting

    keyring.set_keyring(unlocked)
    async with computer.console() as running:
        unlock = await dialog_of(running, UnlockDialog)
        unlock.passphrase.setText(PASSPHRASE)
        unlock.ok.click()
        await opened(running)
        (item,) = await desk_of(running).outbox_items()
        assert item.enrollment == row.enrollment
        assert running.office.outbox.notices.elsewhere == []
        await until(
            lambda: backend.row(row.enrollment).status is EnrollmentStatus.APPROVED,
            what="sent from the queue in use",
        )
