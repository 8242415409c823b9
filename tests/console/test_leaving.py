"""The questions before closing, signing out and connecting elsewhere, and what the answers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field, replace

import pytest
import pytest_asyncio
from PySide6.QtWidgets import QPushButton

from console.entered import Entered
from console.leaving import Leaving
from console.run_queues import RunQueues
from console.runtime.dialogs import ConfirmDialog
from console.theme import Theme
from console.views.main_window import MainWindow
from core.client.errors import OutboxError
from core.client.outbox import Draft, OutboxSummary, SignedBytes
from core.client.secrets import Durability
from core.domain.decisions import Verdict
from tests.client.build import START
from tests.client.queueing import COLLEAGUE, SEALER
from tests.console import samples
from tests.support.waiting import until
from tests.support.windows import dressed


@dataclass
class Left:
    """A desk as far as leaving it goes."""

    entered: Entered = field(default_factory=lambda: samples.entered(demo=False))
    is_sending: bool = False
    waiting: int = 0
    fails: bool = False

    async def outbox_summary(self) -> OutboxSummary:
        if self.fails:
            raise OutboxError("The outbox on this computer cannot be used.")
        return OutboxSummary(self.waiting, None, 0)

    def keeps_nothing(self) -> Left:
        self.entered = replace(self.entered, durability=Durability(remembered=False, message=""))
        return self


@pytest_asyncio.fixture
async def queues() -> AsyncIterator[RunQueues]:
    made = RunQueues()
    yield made
    await made.close()


@pytest_asyncio.fixture
async def window(theme: Theme) -> AsyncIterator[MainWindow]:
    made = dressed(theme)
    made.show()
    yield made
    made.end()
    made.deleteLater()


@dataclass
class Asked:
    """What was asked, nothing where nobody was, and whether to go on."""

    title: str
    go_on: bool


async def answer(window: MainWindow, work: Awaitable[bool], *, yes: bool = False) -> Asked:
    """Answer the question, if one comes."""
    task = asyncio.ensure_future(work)

    def shown() -> ConfirmDialog | None:
        found = window.findChildren(ConfirmDialog)
        return next((dialog for dialog in found if dialog.isVisible()), None)

    await until(lambda: task.done() or shown() is not None, what="a question or an end")
    dialog = shown()
    if dialog is None:
        return Asked("", await task)
    title = dialog.windowTitle()
    button: QPushButton = dialog.yes if yes else dialog.no
    button.click()
    return Asked(title, await task)


async def put_one(queues: RunQueues, backend: str) -> None:
    outbox = await queues.open(backend, SEALER)
    row = samples.row(1)
    draft = Draft(
        id=row.enrollment,
        officer=COLLEAGUE,
        device=COLLEAGUE,
        enrollment=row.enrollment,
        verdict=Verdict.APPROVE,
        note=None,
        created_at=START,
        reference=row.reference,
        cents=row.amount_cents,
    )
    await outbox.add(draft, lambda n: SignedBytes(b"%d" % n, b"s"))


async def test_one_queue_of_a_backend_lives_for_the_whole_run(queues: RunQueues) -> None:
    await put_one(queues, "a")
    first = await queues.open("a", SEALER)
    assert await queues.open("a", SEALER) is first
    assert await queues.open("b", SEALER) is not first
    assert len(await first.waiting_for(COLLEAGUE)) == 1
    assert await queues.unanswered() == 1


async def test_closing_asks_about_memory_also_when_nobody_is_signed_in(
    window: MainWindow, queues: RunQueues
) -> None:
    leaving = Leaving(window, queues)
    assert await answer(window, leaving.may_close(None)) == Asked("", go_on=True)
    await put_one(queues, "a")
    await put_one(queues, "b")
    title = "2 decisions are not sent yet"
    assert await answer(window, leaving.may_close(None)) == Asked(title, go_on=False)
    assert await answer(window, leaving.may_close(Left()), yes=True) == Asked(title, go_on=True)


async def test_closing_asks_while_something_is_sent(window: MainWindow, queues: RunQueues) -> None:
    leaving, desk = Leaving(window, queues), Left(is_sending=True, waiting=4)
    title = "A decision is being sent"
    assert await answer(window, leaving.may_close(desk)) == Asked(title, go_on=False)
    desk.is_sending = False  # what is kept goes out at the next start
    assert await answer(window, leaving.may_close(desk)) == Asked("", go_on=True)


@pytest.mark.parametrize("yes", [True, False])
async def test_signing_out_asks_about_what_would_wait(
    window: MainWindow, queues: RunQueues, yes: bool
) -> None:
    leaving, desk = Leaving(window, queues), Left()
    assert await answer(window, leaving.may_sign_out(None)) == Asked("", go_on=True)
    assert await answer(window, leaving.may_sign_out(desk)) == Asked("", go_on=True)
    desk.waiting = 1
    for one in (desk, desk.keeps_nothing()):
        asked = await answer(window, leaving.may_sign_out(one), yes=yes)
        assert asked == Asked("1 decision is not sent yet", go_on=yes)
    desk.fails = True  # a queue that fails keeps nobody here
    assert await answer(window, leaving.may_sign_out(desk)) == Asked("", go_on=True)


@pytest.mark.parametrize(
    ("demo", "address", "asks"),
    [
        (False, "http://127.0.0.1:1/", False),  # the same backend, written otherwise
        (False, "https://bursar.example.org", True),
        (False, "", True),
        (True, "", False),
        (True, "http://127.0.0.1:1", True),
    ],
)
async def test_connecting_asks_only_where_it_leads_elsewhere(
    window: MainWindow, queues: RunQueues, demo: bool, address: str, asks: bool
) -> None:
    leaving = Leaving(window, queues)
    assert await answer(window, leaving.may_go_to(address, None)) == Asked("", go_on=True)
    desk = Left(samples.entered(demo=demo), waiting=2)
    asked = await answer(window, leaving.may_go_to(address, desk))
    assert asked.go_on is not asks
    assert asked.title == ("2 decisions are not sent yet" if asks else "")
