"""The Outbox screen over a whole console at our real backend, which goes away and comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.models.outbox import Column
from console.office import Office
from console.runtime.dialogs import ConfirmDialog
from console.theme import Theme
from console.views.outbox_words import Group
from core.client.outbox import OutboxState
from core.domain.enrollment import EnrollmentStatus
from core.protocol.messages import EnrollmentRow
from tests.console.computer import Computer, dialog_of, opened, rows_of
from tests.support.keyrings import MemoryKeyring
from tests.support.live_backend import LiveBackend
from tests.support.waiting import until


@pytest.fixture
def computer(
    theme: Theme, live_backend: LiveBackend, tmp_path: Path, private_keyring: MemoryKeyring
) -> Computer:
    assert private_keyring.secrets == {}
    return Computer(theme, live_backend, tmp_path / "computer")


def actions(backend: LiveBackend, row: EnrollmentRow) -> str:
    """What the ledger tells of an enrollment."""
    return " ".join(entry.leaf for entry in backend.detail(row.enrollment).timeline)


def states(office: Office) -> list[str]:
    model = office.outbox.model
    return [str(model.index(row, Column.STATE).data()) for row in range(model.rowCount())]


async def test_what_was_discarded_offline_never_happens_and_the_rest_goes_out(
    computer: Computer,
) -> None:
    backend, claims = computer.backend, computer.backend.push_claims(2)
    async with computer.console() as running:
        office = await computer.sign_in(running)
        rows = await rows_of(office, claims)
        screen, status = office.outbox, office.shell.status
        with backend.offline():
            for row in rows:
                office.deciding.approve(row)
            await until(lambda: status.outbox.text().startswith("2 waiting"), what="the count")
            office.commands.trigger("open outbox")
            await until(lambda: states(office) == ["Waiting", "Waiting"], what="both wait")
            discarded = screen.model.rows()[0]
            screen.table.select_key(discarded.key)
            screen.pane.discard.click()
            (await dialog_of(running, ConfirmDialog)).accept()
            await until(lambda: "Withdrawing" in states(office), what="the withdrawal")
        screen.retry_all.click()
        await until(
            lambda: sorted(states(office)) == ["Accepted", "Withdrawn"],
            what="both done",
            timeout=45,
        )
        await until(lambda: status.outbox.text() == "Outbox empty", what="nothing waits")
        assert screen.pane.row is not None
        assert "never be carried out" in screen.pane.notice.text
        kept, gone = sorted(rows, key=lambda row: row.enrollment == discarded.decision.enrollment)
        assert backend.row(gone.enrollment).status is EnrollmentStatus.PENDING
        assert backend.row(kept.enrollment).status is EnrollmentStatus.APPROVED
        assert '"action":"decision.withdrawn"' in actions(backend, gone)
        assert office.model.overlay(gone.enrollment) is None  # it can be decided anew

    # After a restart the screen tells the same, from the file.
    async with computer.console() as running:
        office = await opened(running)
        await until(
            lambda: sorted(states(office)) == ["Accepted", "Withdrawn"], what="what is done"
        )


async def test_a_refusal_stays_until_it_is_read(computer: Computer) -> None:
    backend, claim = computer.backend, computer.backend.claim()
    async with computer.console() as running:
        office = await computer.sign_in(running)
        (row,) = await rows_of(office, [claim])
        backend.approve(backend.device(number=1), claim.enrollment)  # somebody else is first
        office.commands.trigger("open outbox")
        office.deciding.approve(row)  # as it was still on the screen
        await until(lambda: states(office) == ["Conflict"], what="the conflict")
        await until(lambda: office.shell.status.needs.text() == "1 needs you", what="the count")
        model = office.outbox.model
        assert model.rows()[0].decision.state is OutboxState.CONFLICT
        office.outbox.table.select_key(model.rows()[0].key)
        assert "approved" in office.outbox.pane.notice.text.lower()
        office.outbox.pane.dismiss.click()
        await until(lambda: model.sizes()[Group.DONE] == 1, what="read and done")
        await until(office.shell.status.needs.isHidden, what="nothing left to read")
