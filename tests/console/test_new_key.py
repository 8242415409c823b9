"""A console whose key was revoked or lost goes on with a new one, and loses no decision."""

from __future__ import annotations

from pathlib import Path

import keyring
import pytest
from keyring.backends.null import Keyring as NullKeyring

from console.models.overlay import Progress
from console.office import Office
from console.runtime.dialogs import ConfirmDialog
from console.theme import Theme
from console.views.passphrase import ChoosePassphraseDialog
from core.client.connection import ConnectionState
from core.client.outbox import OutboxState
from core.domain.enrollment import EnrollmentStatus
from core.domain.roles import Role
from core.protocol.messages import DeviceState, EnrollmentRow
from tests.console.computer import Computer, desk_of, dialog_of, opened, rows_of
from tests.console.test_signing_in import Running
from tests.support.keyrings import MemoryKeyring
from tests.support.live_backend import LiveBackend
from tests.support.waiting import until


@pytest.fixture
def computer(
    theme: Theme, live_backend: LiveBackend, tmp_path: Path, private_keyring: MemoryKeyring
) -> Computer:
    assert private_keyring.secrets == {}
    return Computer(theme, live_backend, tmp_path / "computer")


async def decide_offline(computer: Computer, office: Office, row: EnrollmentRow) -> None:
    """Leaves the backend dark; the decision waits."""
    office.deciding.approve(row)

    def waits() -> bool:
        overlay = office.model.overlay(row.enrollment)
        return overlay is not None and overlay.progress is Progress.WAITING

    await until(waits, what="the decision kept")
    assert computer.backend.row(row.enrollment).waiting


def is_approved(computer: Computer, row: EnrollmentRow) -> bool:
    return computer.backend.row(row.enrollment).status is EnrollmentStatus.APPROVED


async def state_is(running: Running, state: DeviceState) -> None:
    def reached() -> bool:
        desk = running.app.desk
        return desk is not None and desk.enrollment.device.state is state

    await until(reached, what=f"the key {state.value}")


async def make_new_key(running: Running) -> None:
    """By the banner."""
    before, banner = desk_of(running), running.office.shell.banner
    await until(lambda: "was revoked" in banner.text, what="the banner")
    banner._action.click()
    (await dialog_of(running, ConfirmDialog)).yes.click()
    await until(lambda: running.app.desk not in {None, before}, what="the desk anew")


async def test_a_revoked_console_makes_a_new_key_and_decides_again(computer: Computer) -> None:
    backend, claims = computer.backend, computer.backend.push_claims(1)
    async with computer.console() as running:
        office = await computer.sign_in(running)
        [row] = await rows_of(office, claims)
        before = desk_of(running)
        with backend.offline():
            await decide_offline(computer, office, row)
            revoked = before.entered.device
            backend.run(backend.services.devices.revoke_by_system(revoked.id))
        before.retry_now()
        await state_is(running, DeviceState.REVOKED)
        await make_new_key(running)
        desk, office = desk_of(running), await opened(running)
        assert desk.entered.device.id != revoked.id
        await state_is(running, DeviceState.WAITING)  # it asked by itself
        # What the old key signed has ended, and the officer sees how.
        await until(lambda: office.outboxing.standing().needs_you == 1, what="the refusal told")
        [item] = await desk.outbox_items()
        assert (item.device, item.state) == (revoked.id, OutboxState.REFUSED)
        assert backend.row(row.enrollment).waiting

        [row] = await rows_of(office, claims)
        office.deciding.approve(row)
        await until(lambda: office.waiting_to_send == 1, what="the decision held")
        computer.enroll(desk)
        await until(lambda: is_approved(computer, row), what="it sent without a click")
        await until(lambda: office.waiting_to_send == 0, what="its answer")

    async with computer.console() as running:
        await opened(running)
        assert desk_of(running).entered.device.id == desk.entered.device.id
        await until(lambda: running.office.connection is ConnectionState.LIVE, what="live")


async def test_what_a_lost_key_signed_goes_out_by_itself(
    computer: Computer, private_keyring: MemoryKeyring
) -> None:
    backend, claims = computer.backend, computer.backend.push_claims(1)
    async with computer.console() as running:
        office = await computer.sign_in(running)
        [row] = await rows_of(office, claims)
        lost = desk_of(running).entered.device
        with backend.offline():
            await decide_offline(computer, office, row)
            await running.app._leave()
    for key in [key for key in private_keyring.secrets if "device:" in key[1]]:
        del private_keyring.secrets[key]
    async with computer.console() as running:
        await opened(running)
        assert desk_of(running).entered.device.id != lost.id
        await until(lambda: is_approved(computer, row), what="it sent")
        await state_is(running, DeviceState.WAITING)


async def test_where_nothing_is_kept_the_new_key_lasts_as_long_as_the_old_one(
    computer: Computer,
) -> None:
    keyring.set_keyring(NullKeyring())  # type: ignore[no-untyped-call]  # keyring leaves it untyped
    backend = computer.backend
    async with computer.console() as running:
        await running.sign_in_as(backend.person(Role.OFFICER).email)
        (await dialog_of(running, ChoosePassphraseDialog)).reject()
        await opened(running)
        revoked = desk_of(running)
        computer.enroll(revoked)
        await state_is(running, DeviceState.ENROLLED)
        await until(lambda: running.office.witness is not None, what="the ledger's key to compare")
        await revoked.accept_first_contact()
        backend.run(backend.services.devices.revoke_by_system(revoked.entered.device.id))
        await make_new_key(running)  # and nobody has to sign in again
        await state_is(running, DeviceState.WAITING)
        assert desk_of(running).entered.device.id != revoked.entered.device.id
