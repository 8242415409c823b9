"""The console without a network: it opens with its copy, decides, and comes back by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import pytest

from console.models.overlay import Progress
from console.office import Office
from console.runtime.dialogs import ConfirmDialog
from console.theme import Theme
from console.views.conflict import ConflictDialog
from console.views.sign_in import SignInPage
from core.client.connection import ConnectionState
from core.client.outbox import OutboxState
from core.domain.enrollment import EnrollmentStatus
from core.domain.roles import Role
from core.protocol.messages import DecisionBatch, EnrollmentRow
from tests.console.computer import Computer, desk_of, dialog_of, opened, rows_of
from tests.support.keyrings import MemoryKeyring
from tests.support.live_backend import LiveBackend
from tests.support.waiting import until

_T = TypeVar("_T")
BACK_SECONDS = 45.0  # no pause between two tries is longer than 30


@pytest.fixture
def computer(
    theme: Theme, live_backend: LiveBackend, tmp_path: Path, private_keyring: MemoryKeyring
) -> Computer:
    assert private_keyring.secrets == {}
    return Computer(theme, live_backend, tmp_path / "computer")


@pytest.fixture
def dark(live_backend: LiveBackend) -> Iterator[ExitStack]:
    """Enter `offline()` into it; its `close` brings the network back."""
    assert live_backend.connections == 0
    with ExitStack() as stack:
        yield stack


def approvals(backend: LiveBackend, enrollment: UUID) -> int:
    """How many times the ledger says that it was approved."""
    timeline = backend.detail(enrollment).timeline
    return sum('"action":"enrollment.approved"' in entry.leaf for entry in timeline)


def progress(office: Office, row: EnrollmentRow) -> Progress | None:
    overlay = office.model.overlay(row.enrollment)
    return None if overlay is None else overlay.progress


def are_approved(backend: LiveBackend, rows: list[EnrollmentRow]) -> bool:
    states = {backend.row(row.enrollment).status for row in rows}
    return states == {EnrollmentStatus.APPROVED}


async def test_it_opens_offline_decides_and_comes_back_without_a_click(
    computer: Computer, dark: ExitStack
) -> None:
    backend, claims = computer.backend, computer.backend.push_claims(4)
    async with computer.console() as running:
        await rows_of(await computer.sign_in(running), claims)

    dark.enter_context(backend.offline())
    async with computer.console() as running:
        office = await opened(running)
        rows = await rows_of(office, claims)
        banner = office.shell.banner
        await until(lambda: "Showing the list as of" in banner.text, what="from when the list is")
        for row in rows[:3]:
            office.deciding.approve(row)
        await until(lambda: office.waiting_to_send == 3, what="three decisions kept")

    # Started once more without a network, each row says what was decided about it.
    async with computer.console() as running:
        office = await opened(running)
        rows = await rows_of(office, claims)
        await until(
            lambda: all(progress(office, row) is Progress.WAITING for row in rows[:3]),
            what="the three waiting",
        )
        assert office.model.state(rows[0].enrollment).words == "Approval waits"
        assert progress(office, rows[3]) is None

        late = backend.claim()  # somebody pays meanwhile
        dark.close()
        await until(lambda: are_approved(backend, rows[:3]), what="all sent", timeout=BACK_SECONDS)
        await until(
            lambda: office.connection is ConnectionState.LIVE, what="live", timeout=BACK_SECONDS
        )
        await rows_of(office, [late])
        await until(
            lambda: all(office.model.row(row.enrollment) is None for row in rows[:3]),
            what="the decided rows gone",
        )
        assert office.model.row(rows[3].enrollment) is not None
        await until(lambda: "as of" not in office.shell.banner.text, what="the banner without it")
        await until(lambda: office.waiting_to_send == 0, what="every answer")
    assert [approvals(backend, row.enrollment) for row in rows] == [1, 1, 1, 0]


async def test_a_sign_in_that_ended_meanwhile_costs_no_decision(
    computer: Computer, dark: ExitStack
) -> None:
    backend, claims = computer.backend, [computer.backend.claim()]
    async with computer.console() as running:
        await rows_of(await computer.sign_in(running), claims)

    dark.enter_context(backend.offline())
    async with computer.console() as running:
        office = await opened(running)
        rows = await rows_of(office, claims)
        office.deciding.approve(rows[0])
        await until(lambda: progress(office, rows[0]) is Progress.WAITING, what="it waits")
        end_sessions(backend)
        dark.close()
        banner = office.shell.banner
        await until(
            lambda: "Your sign-in has ended" in banner.text, what="banner", timeout=BACK_SECONDS
        )
        assert backend.row(rows[0].enrollment).waiting
        banner._action.click()
        await until(lambda: isinstance(running.app.window.page, SignInPage), what="the sign-in")
        await running.sign_in_as(backend.person(Role.OFFICER).email)
        await until(lambda: are_approved(backend, rows), what="sent after it", timeout=BACK_SECONDS)
    assert approvals(backend, rows[0].enrollment) == 1


def end_sessions(backend: LiveBackend) -> None:
    """The officer signs out everywhere, from another computer."""
    services, elsewhere = backend.services, backend.staff()

    async def end() -> None:
        who = await services.accounts.staff_identity(elsewhere.access_token)
        await services.own_account.end_other_staff_sessions(who)

    backend.run(end())


async def test_another_officer_never_sends_the_queue(computer: Computer, dark: ExitStack) -> None:
    backend, claims = computer.backend, computer.backend.push_claims(2)
    async with computer.console() as running:
        await rows_of(await computer.sign_in(running), claims)
    dark.enter_context(backend.offline())
    async with computer.console() as running:
        office = await opened(running)
        mine, other = await rows_of(office, claims)
        office.deciding.approve(mine)
        await until(lambda: progress(office, mine) is Progress.WAITING, what="it waits")
        office.sign_out_wanted.emit()
        question = await dialog_of(running, ConfirmDialog)
        assert question.yes.text() == "Sign out"
        question.yes.click()
        await until(lambda: isinstance(running.app.window.page, SignInPage), what="the sign-in")
        dark.close()

        office = await computer.sign_in(running, number=1)
        await rows_of(office, claims)
        assert progress(office, mine) is None
        assert await desk_of(running).others_waiting() == 1
        office.deciding.approve(other)
        await until(lambda: are_approved(backend, [other]), what="the own decision sent")
        await until(lambda: office.waiting_to_send == 0, what="its answer")
        assert backend.row(mine.enrollment).waiting

        # The first officer comes back: it goes out without a click.
        office.sign_out_wanted.emit()
        await until(lambda: isinstance(running.app.window.page, SignInPage), what="the sign-in")
        await running.sign_in_as(backend.person(Role.OFFICER).email)
        await until(lambda: are_approved(backend, [mine]), what="the first officer's decision")


async def test_a_sign_in_that_fails_leads_back_to_the_copy(
    computer: Computer, dark: ExitStack
) -> None:
    backend, claims = computer.backend, [computer.backend.claim()]
    async with computer.console() as running:
        await rows_of(await computer.sign_in(running), claims)
    dark.enter_context(backend.offline())
    async with computer.console() as running:
        office = await opened(running)
        office.connect_wanted.emit()
        await running.sign_in_as(backend.person(Role.OFFICER).email)
        page = running.sign_in
        await until(lambda: "cannot be reached" in page.notice.text, what="the words")
        assert running.app.window.page is page
        running.sign_in.back.click()
        await until(lambda: running.app.office not in {None, office}, what="the office again")
        await rows_of(running.office, claims)


async def test_without_a_remembered_sign_in_it_does_not_open_offline(
    computer: Computer, dark: ExitStack
) -> None:
    backend, claims = computer.backend, [computer.backend.claim()]
    async with computer.console() as running:
        office = await computer.sign_in(running)
        await rows_of(office, claims)
        office.sign_out_wanted.emit()
        await until(lambda: isinstance(running.app.window.page, SignInPage), what="the sign-in")
    dark.enter_context(backend.offline())
    async with computer.console() as running:
        await until(lambda: isinstance(running.app.window.page, SignInPage), what="the sign-in")
        assert running.app.office is None


async def until_equal(get: Callable[[], Awaitable[_T]], wanted: _T) -> None:
    """Wait until what `get` gives is as wanted."""

    async def is_equal() -> bool:
        return await get() == wanted

    await until(is_equal, what=repr(wanted))


def sign_first(backend: LiveBackend, row: EnrollmentRow) -> None:
    """Another officer gives the first of two signatures, while this network is dark."""
    services, device = backend.services, backend.device(number=1)
    batch = DecisionBatch(items=(backend.decision(device, row.enrollment),))

    async def sign() -> None:
        who = await services.accounts.staff_identity(device.session.access_token)
        await services.approval.decide(who, batch)

    backend.run(sign())


async def test_a_payment_that_changed_meanwhile_is_compared_and_decided_again(
    computer: Computer, dark: ExitStack
) -> None:
    backend = computer.backend
    claims = [backend.claim(course=backend.courses[-1])]  # it needs two signatures
    async with computer.console() as running:
        await rows_of(await computer.sign_in(running), claims)
    dark.enter_context(backend.offline())
    async with computer.console() as running:
        office = await opened(running)
        (row,) = await rows_of(office, claims)
        office.deciding.approve(row)
        await until(lambda: progress(office, row) is Progress.WAITING, what="it waits")
        sign_first(backend, row)
        dark.close()
        await until(
            lambda: progress(office, row) is Progress.CONFLICT, what="told", timeout=BACK_SECONDS
        )
        office.pending.table.select_key(row.enrollment)
        assert office.commands.trigger("compare")
        dialog = await dialog_of(running, ConflictDialog)
        changed = [(name, before) for name, before, _, differs in dialog.facts if differs]
        assert changed == [("First signature", "none")]
        dialog.ok.click()
        await until(lambda: are_approved(backend, [row]), what="the second signature")

        async def states() -> list[tuple[OutboxState, bool]]:
            items = await desk_of(running).outbox_items()
            return sorted((item.state, item.dismissed) for item in items)

        await until_equal(states, [(OutboxState.ACCEPTED, False), (OutboxState.CONFLICT, True)])
