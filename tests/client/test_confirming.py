"""Own decisions are found in the verified ledger, whatever was passed over in between."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from core.client.confirming import Confirmer
from core.client.outbox import Outbox, OutboxItem, OutboxState
from core.client.sealing import Sealer
from core.client.witness import WitnessState
from core.client.witness_file import AlarmKind
from core.domain.decisions import Verdict
from core.protocol.feed import Entry
from core.protocol.messages import AUDIT_PAGE_ROWS, AnswerKind, DecisionAnswer, InclusionProof
from tests.client.build import OFFICER, Clock, decider
from tests.client.full_disk import no_room
from tests.client.watched import Desk, Ledger, decision_leaf
from tests.protocol.build import row
from tests.support.waiting import until


class Office:
    """A witness, a queue and the confirmer between them."""

    def __init__(self, folder: Path, ledger: Ledger, outbox: Outbox) -> None:
        self.desk = Desk(folder, ledger)
        self.ledger = ledger
        self.outbox = outbox
        self.number = 0
        self.confirmer: Confirmer

    async def start(self) -> None:
        """As after a restart: what is known comes from the files."""
        witness = await self.desk.start()
        self.confirmer = Confirmer(
            source=self.ledger, outbox=self.outbox, witness=witness, officer=OFFICER,
            jitter=lambda: 0.0,
        )  # fmt: skip

    async def accepted(self, *, action: str = "enrollment.approved") -> OutboxItem:
        """A decision that the backend says it has carried out; told to nobody yet."""
        self.number += 1
        made = await decider(self.outbox, Clock()).decide(row(self.number), Verdict.APPROVE)
        await self.outbox.next_batch(officer=OFFICER, now=Clock()(), limit=1)
        leaf = decision_leaf(self.number, made.payload, made.signature, action)
        index = self.ledger.add(leaf).index
        answer = DecisionAnswer(
            id=made.id, kind=AnswerKind.ACCEPTED, code="accepted", message="Done.", index=index
        )
        return await self.outbox.mark_answered(answer, OutboxState.ACCEPTED)

    def alter(self, item: OutboxItem) -> None:
        """The backend tells something else than what it had accepted."""
        other = decision_leaf(1, item.payload.replace(b'"approve"', b'"reject"'), item.signature)
        self.ledger.leaves[self.index(item)] = other

    def index(self, item: OutboxItem) -> int:
        assert item.answer is not None
        assert item.answer.index is not None
        return item.answer.index

    async def jump(self) -> None:
        """Everything is verified, and nothing was read entry by entry."""
        await self.desk.witness.meet(self.ledger.workspace())

    async def open_items(self) -> int:
        return len(await self.outbox.unconfirmed(OFFICER, 1000))


@pytest_asyncio.fixture
async def office(tmp_path: Path, outbox: Outbox) -> AsyncIterator[Office]:
    ledger = Ledger()
    ledger.grow(5)
    made = Office(tmp_path, ledger, outbox)
    await made.start()
    yield made


@asynccontextmanager
async def running(confirmer: Confirmer) -> AsyncIterator[None]:
    task = asyncio.create_task(confirmer.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_what_is_followed_is_found_without_asking(office: Office) -> None:
    item = await office.accepted()
    office.confirmer.add(item)
    await office.confirmer.catch_up()
    assert office.confirmer.open == 1
    await office.desk.witness.follow(
        [*_entries(office.ledger, office.index(item)), office.ledger.checkpoint()]
    )
    await office.confirmer.catch_up()
    assert office.ledger.asked == []
    assert office.confirmer.open == await office.open_items() == 0
    assert (await office.outbox.get(item.id)).confirmed


async def test_what_was_read_counts_only_once_a_checkpoint_covers_it(office: Office) -> None:
    item = await office.accepted()
    office.confirmer.add(item)
    await office.desk.witness.follow(_entries(office.ledger, office.index(item)))
    assert not await office.confirmer.confirm(item)
    # The ledger that is signed is another one: what was read before says nothing of it.
    office.alter(item)
    office.ledger.grow(3)
    await office.desk.witness.follow([office.ledger.checkpoint()])
    assert not await office.confirmer.confirm(item)
    assert office.desk.alarm() is AlarmKind.DECISION_ALTERED


async def test_what_was_passed_over_is_asked_for(office: Office) -> None:
    item = await office.accepted()
    office.ledger.grow(20)
    await office.jump()
    assert await office.confirmer.confirm(item)
    assert office.ledger.asked == ["page", "proof"]
    status = office.desk.witness.status
    assert (status.confirmed, status.unconfirmed, status.alarm) == (1, 0, None)
    assert await office.open_items() == 0


async def test_a_proof_that_could_not_be_asked_for_is_asked_for_without_news(
    office: Office,
) -> None:
    """The feed is live, one request was lost, and then nobody pays for days."""
    item = await office.accepted()
    witness = office.desk.witness
    office.ledger.reachable = False
    await witness.follow([office.ledger.snapshot(), office.ledger.checkpoint()])
    assert witness.owes
    told, refused = len(office.desk.told), office.ledger.refused
    await witness.follow([office.ledger.checkpoint()])
    assert len(office.desk.told) == told  # once is enough
    office.confirmer.add(item)
    async with running(office.confirmer):
        await until(lambda: office.ledger.refused > refused + 1)
        office.ledger.reachable = True
        await until(lambda: office.confirmer.open == 0)
    assert not office.desk.witness.owes
    assert office.desk.verified_to() == len(office.ledger.leaves)


async def test_a_full_disk_puts_off_what_was_found_and_ends_nothing(office: Office) -> None:
    item = await office.accepted()
    await office.jump()
    tries: list[float] = []

    def jitter() -> float:
        tries.append(0.0)
        return 0.0

    confirmer = Confirmer(
        source=office.ledger, outbox=office.outbox, witness=office.desk.witness, officer=OFFICER,
        jitter=jitter,
    )  # fmt: skip
    confirmer.add(item)
    async with running(confirmer):
        with no_room():
            await until(lambda: len(tries) > 1)
            assert confirmer.open == 1
        await until(lambda: confirmer.open == 0)
    assert (await office.outbox.get(item.id)).confirmed


async def test_after_a_restart_it_goes_on_with_what_earlier_runs_left(office: Office) -> None:
    items = [await office.accepted() for _ in range(3)]
    await office.jump()
    await office.start()
    async with running(office.confirmer):
        await until(lambda: office.desk.witness.status.confirmed == len(items))
        await until(lambda: office.confirmer.open == 0)
    office.ledger.asked.clear()
    await office.start()
    async with running(office.confirmer):
        office.confirmer.add(items[0])
        await until(lambda: office.confirmer.open == 0)


async def test_neighbours_share_a_page(office: Office) -> None:
    items = []
    for _ in range(12):
        items.append(await office.accepted())
        office.ledger.grow(AUDIT_PAGE_ROWS // 5)
    await office.jump()
    for item in items:
        office.confirmer.add(item)
    await office.confirmer.catch_up()
    assert office.confirmer.open == 0
    assert office.ledger.asked.count("page") == 3
    assert office.ledger.asked.count("proof") == 12


async def test_nothing_is_asked_before_the_first_contact_was_accepted(
    tmp_path: Path, outbox: Outbox
) -> None:
    office = Office(tmp_path, Ledger(), outbox)
    office.desk.witness = await office.desk.open()
    item = await office.accepted()
    await office.jump()
    confirmer = Confirmer(
        source=office.ledger, outbox=outbox, witness=office.desk.witness, officer=OFFICER
    )
    assert not await confirmer.confirm(item)
    assert office.ledger.asked == []
    await office.desk.witness.accept_first_contact()
    assert await confirmer.confirm(item)


# --- lies ---


async def test_a_decision_that_was_altered_in_a_part_nobody_read_is_an_alarm(
    office: Office,
) -> None:
    item, other = await office.accepted(), await office.accepted()
    office.alter(item)
    await office.jump()
    assert not await office.confirmer.confirm(item)
    assert office.desk.alarm() is AlarmKind.DECISION_ALTERED
    assert office.desk.evidence()["theirs"] == office.ledger.leaves[office.index(item)]
    assert not (await office.outbox.get(item.id)).confirmed
    # In an alarm nothing counts as verified.
    assert not await office.confirmer.confirm(other)


async def test_the_same_alarm_is_not_sounded_twice(office: Office) -> None:
    item, other = await office.accepted(), await office.accepted()
    office.alter(item)
    await office.jump()
    await office.confirmer.confirm(item)
    for _ in range(2):  # in this run and after a restart
        await office.desk.witness.accept_alarm()
        await office.jump()
        await office.desk.witness.accept_first_contact()
        assert not await office.confirmer.confirm(item)
        assert office.desk.witness.status.state is WitnessState.FOLLOWING
        await office.start()
    assert await office.confirmer.confirm(other)
    assert await office.open_items() == 1


async def test_accepted_means_carried_out(office: Office) -> None:
    item = await office.accepted(action="decision.refused")
    await office.jump()
    assert not await office.confirmer.confirm(item)
    assert office.desk.alarm() is AlarmKind.DECISION_ALTERED


async def test_the_right_entry_without_its_proof_is_an_alarm(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backend shows each console what it wants to see, beside the ledger."""
    item = await office.accepted()
    await office.jump()
    right = office.ledger.inclusion

    async def wrong(index: int, size: int) -> InclusionProof:
        return await right(index - 1, size)

    monkeypatch.setattr(office.ledger, "inclusion", wrong)
    assert not await office.confirmer.confirm(item)
    assert office.desk.alarm() is AlarmKind.DECISION_ALTERED


async def test_a_proof_about_a_tree_that_was_left_meanwhile_is_no_alarm(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = await office.accepted()
    await office.jump()
    right = office.ledger.inclusion

    async def too_late(index: int, _size: int) -> InclusionProof:
        monkeypatch.setattr(office.ledger, "inclusion", right)
        office.ledger.grow(7)
        await office.jump()
        return await right(index, len(office.ledger.leaves))

    monkeypatch.setattr(office.ledger, "inclusion", too_late)
    assert not await office.confirmer.confirm(item)
    assert office.desk.alarm() is None
    assert await office.confirmer.confirm(item)


# --- trouble ---


async def test_a_backend_that_cannot_be_asked_now_is_asked_again(office: Office) -> None:
    item = await office.accepted()
    await office.jump()
    office.ledger.reachable = False
    assert not await office.confirmer.confirm(item)
    async with running(office.confirmer):
        await until(lambda: len(office.ledger.asked) > 1)
        office.ledger.reachable = True
        await until(lambda: office.confirmer.open == 0)
    assert office.desk.alarm() is None


async def test_an_entry_that_is_not_shown_stays_open_and_holds_up_no_other(
    office: Office,
) -> None:
    hidden, other = await office.accepted(), await office.accepted()
    office.ledger.hidden = {office.index(hidden)}
    await office.jump()
    office.confirmer.add(hidden)
    assert await office.confirmer.confirm(other)
    assert not await office.confirmer.catch_up()
    assert office.confirmer.open == 1


def _entries(ledger: Ledger, start: int) -> list[Entry]:
    return [Entry(i, ledger.leaves[i], None) for i in range(start, len(ledger.leaves))]


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(0, 3), st.sampled_from("efsjrc")), max_size=10),
    lie=st.none() | st.integers(0, 20),
)
def test_every_decision_is_found_and_every_lie_is_told(
    steps: list[tuple[int, str]], lie: int | None
) -> None:
    """Accepted in any portions, the feed followed, jumped over or restarted in between. A lie is
    there from the start: the answer was right, the ledger is another."""

    async def play(folder: str) -> None:
        ledger = Ledger()
        ledger.grow(1)
        outbox = await Outbox.open(None, Sealer(bytes(32)))
        office = Office(Path(folder), ledger, outbox)
        await office.start()
        items: list[OutboxItem] = []
        for count, how in steps:
            start = len(ledger.leaves)
            for _ in range(count):
                items.append(await office.accepted())
                if len(items) - 1 == lie:
                    office.alter(items[-1])
                if how != "r":  # it ends before it is told
                    office.confirmer.add(items[-1])
            ledger.grow(1)
            await _step(office, how, start)
        await office.start()
        for item in await outbox.unconfirmed(OFFICER, 1000):
            office.confirmer.add(item)
        await office.jump()
        await office.confirmer.catch_up()
        lied = lie is not None and lie < len(items)
        assert (office.desk.alarm() is AlarmKind.DECISION_ALTERED) == lied
        assert lied or await office.open_items() == 0
        await outbox.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(folder))


async def _step(office: Office, how: str, start: int) -> None:
    ledger, witness = office.ledger, office.desk.witness
    if how == "e":
        await witness.follow(_entries(ledger, start))
    elif how == "f":
        await witness.follow([*_entries(ledger, start), ledger.checkpoint()])
    elif how == "s":
        await witness.follow([ledger.snapshot()])
    elif how == "j":
        await office.jump()
    elif how == "c":
        await office.confirmer.catch_up()
    else:
        await office.start()
