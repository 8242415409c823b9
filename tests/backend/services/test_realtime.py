"""The live feed without sockets: a console ends with every entry once, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio
from pydantic import TypeAdapter
from sqlalchemy.exc import OperationalError
from uuid_utils.compat import uuid7

from core.backend.services.identities import StaffIdentity, StudentIdentity
from core.backend.services.realtime import FeedClosedError, Subscription, SyncLimits
from core.backend.storage import ledger
from core.domain.decisions import Verdict
from core.domain.enrollment import EnrollmentStatus
from core.ledger.checkpoint import open_checkpoint
from core.protocol.feed import CheckpointSeen, Entry, FeedClient, FeedEvent, Following, Snapshot
from core.protocol.messages import (
    CardView,
    CloseCode,
    EnrollmentRow,
    SignIn,
    StudentCard,
    StudentCards,
)
from tests.support.live_template import Template
from tests.support.waiting import until
from tests.support.watch import ExpectedLogs
from tests.support.workspace import STUDENT_PASSWORD, House, open_house

pytestmark = pytest.mark.both_engines

TOKEN = "x" * 43
_STUDENT: TypeAdapter[StudentCards | StudentCard] = TypeAdapter(StudentCards | StudentCard)


@pytest_asyncio.fixture
async def live(house: House) -> House:
    await house.services.start()
    return house


class Console:
    """The client's own state machine, fed by a subscription; keeps what it was told."""

    def __init__(self, house: House, identity: StaffIdentity) -> None:
        self.client = FeedClient()
        self.events: list[FeedEvent] = []
        self.rows: dict[UUID, EnrollmentRow] = {}
        self._house = house
        self._identity = identity

    @property
    def indexes(self) -> list[int]:
        return [event.index for event in self.events if isinstance(event, Entry)]

    @property
    def pending(self) -> set[UUID]:
        return {id_ for id_, row in self.rows.items() if row.waiting}

    async def connect(self) -> Subscription:
        hello = self.client.hello(TOKEN)
        return await self._house.services.sync.subscribe_staff(hello, self._identity)

    async def read(self, subscription: Subscription, until_index: int | None = None) -> None:
        """Take messages until the entry before `until_index` has come."""
        goal = self._house.size() if until_index is None else until_index
        while self.client.next is None or self.client.next < goal:
            self.take(await anext(subscription))

    def take(self, message: bytes) -> None:
        for event in self.client.receive(message):
            self.events.append(event)
            match event:
                case Snapshot(rows=rows):
                    self.rows = {row.enrollment: row for row in rows}
                case Entry(row=EnrollmentRow() as row):
                    self.rows[row.enrollment] = row
                case _:
                    pass


@asynccontextmanager
async def console(house: House) -> AsyncIterator[tuple[Console, Subscription]]:
    opened = Console(house, (await house.officer()).identity)
    subscription = await opened.connect()
    try:
        yield opened, subscription
    finally:
        subscription.close()


async def test_a_snapshot_and_then_every_entry(live: House) -> None:
    first = await live.claim()
    async with console(live) as (screen, subscription):
        await screen.read(subscription)
        assert isinstance(screen.events[0], Snapshot)
        assert screen.pending == {first}
        size = live.size()
        second = await live.claim()
        await screen.read(subscription)
        assert screen.indexes == list(range(size, live.size()))
        assert screen.pending == {first, second}


@pytest.mark.req("4.4")
async def test_what_was_decided_leaves_every_console(live: House) -> None:
    enrollment = await live.claim()
    officer = await live.officer()
    async with console(live) as (one, at_one), console(live) as (two, at_two):
        for screen, subscription in ((one, at_one), (two, at_two)):
            await screen.read(subscription)
            assert screen.pending == {enrollment}
        await live.decide(officer, officer.sign(await live.row(enrollment)))
        for screen, subscription in ((one, at_one), (two, at_two)):
            await screen.read(subscription)
            assert screen.pending == set()
            assert screen.rows[enrollment].status is EnrollmentStatus.APPROVED


async def test_a_console_that_was_cut_goes_on_where_it_was(live: House) -> None:
    screen = Console(live, (await live.officer()).identity)
    start = live.size()
    for _ in range(3):
        subscription = await screen.connect()
        await live.claim()
        await screen.read(subscription)
        subscription.close()
        await live.claim()
    subscription = await screen.connect()
    await screen.read(subscription)
    subscription.close()
    assert screen.indexes == list(range(start, live.size()))
    assert sum(isinstance(event, Snapshot) for event in screen.events) == 1
    assert sum(isinstance(event, Following) for event in screen.events) == 3
    assert len(screen.pending) == 6


async def test_a_snapshot_in_pages_beside_writers_ends_consistent(
    live_template: Template, tmp_path: Path
) -> None:
    limits = SyncLimits(page=3, poll_seconds=0.05, checkpoint_seconds=0)
    async with open_house(live_template, tmp_path / "h", sync_limits=limits) as house:
        await house.services.start()
        waiting = [await house.claim() for _ in range(10)]
        officer = await house.officer()
        rows = {id_: await house.row(id_) for id_ in waiting}
        async with console(house) as (screen, subscription):

            async def write() -> None:
                for id_ in waiting[::2]:
                    await house.decide(officer, officer.sign(rows[id_]))
                    await house.claim()

            writing = asyncio.create_task(write())
            await screen.read(subscription, until_index=house.size())
            await writing
            await screen.read(subscription)
            page = await house.services.approval.pending(after=None, limit=500)
            assert {row.enrollment: row for row in page.rows if row.waiting} == {
                id_: row for id_, row in screen.rows.items() if row.waiting
            }
            assert screen.indexes == sorted(set(screen.indexes))


async def test_checkpoints_come_exactly_behind_their_entries(live: House) -> None:
    async with console(live) as (screen, subscription):
        for _ in range(3):
            await live.claim()
        size = live.size()
        await screen.read(subscription)
        while not isinstance(screen.events[-1], CheckpointSeen):
            screen.take(await anext(subscription))
        seen = 0
        for event in screen.events:
            match event:
                case Snapshot(size=at):
                    seen = at
                case Entry(index=index):
                    seen = index + 1
                case CheckpointSeen(size=at, note=note):
                    assert at == seen
                    signer = live.services.signer
                    assert open_checkpoint(note, "bursar/ledger", signer.public).size == at
                case _:
                    pass
        assert seen == size


async def test_a_console_that_knows_more_than_the_ledger_is_refused(live: House) -> None:
    screen = Console(live, (await live.officer()).identity)
    epoch = live.services.reader.run_now(ledger.read_head).epoch
    screen.client.epoch, screen.client.next = epoch, live.size() + 1
    with pytest.raises(FeedClosedError) as caught:
        await screen.connect()
    assert caught.value.code == CloseCode.AHEAD
    screen.client.epoch, screen.client.next = uuid7(), 1
    with pytest.raises(FeedClosedError) as caught:
        await screen.connect()
    assert caught.value.code == CloseCode.OTHER_EPOCH


async def test_a_console_that_does_not_read_is_cut_and_resumes(
    live_template: Template, tmp_path: Path
) -> None:
    # Room for what one claim brings (entries and checkpoints), and not for ten of them.
    limits = SyncLimits(queue=12, poll_seconds=0.05, checkpoint_seconds=0)
    async with open_house(live_template, tmp_path / "h", sync_limits=limits) as house:
        await house.services.start()
        async with console(house) as (slow, at_slow), console(house) as (quick, at_quick):
            await slow.read(at_slow)
            await quick.read(at_quick)

            async def read_on() -> None:
                while True:
                    slow.take(await anext(at_slow))

            reading = asyncio.create_task(read_on())
            await until(lambda: at_slow.mailbox in house.services.sync._staff)
            reading.cancel()  # live now, and from here on it reads nothing
            await asyncio.wait([reading])
            for _ in range(10):
                await house.claim()
                await quick.read(at_quick)  # a slow one does not slow another
            with pytest.raises(FeedClosedError) as caught:
                await read_on()
            assert caught.value.code == CloseCode.TOO_SLOW
            again = await slow.connect()
            await slow.read(again)
            again.close()
            assert slow.indexes == [slow.indexes[0], *quick.indexes]  # quick's own device
            assert slow.rows == quick.rows


async def test_a_revoked_session_is_closed(live: House) -> None:
    officer = await live.officer()
    screen = Console(live, officer.identity)
    subscription = await screen.connect()
    await screen.read(subscription)
    await live.services.accounts.staff_sign_out(officer.identity)
    await _closed(subscription, CloseCode.SIGN_IN_NEEDED)


async def test_an_expired_session_is_closed(live: House) -> None:
    screen = Console(live, (await live.officer()).identity)
    subscription = await screen.connect()
    await screen.read(subscription)
    live.clock.advance(days=31)
    await _closed(subscription, CloseCode.SIGN_IN_NEEDED)


async def test_stopping_closes_with_going_away(live: House) -> None:
    async with console(live) as (screen, subscription):
        await screen.read(subscription)
        await live.services.sync.stop()
        await _closed(subscription, CloseCode.GOING_AWAY)


async def _closed(subscription: Subscription, code: int) -> None:
    async def read_on() -> None:
        async for _ in subscription:
            pass

    async with asyncio.timeout(10):
        with pytest.raises(FeedClosedError) as caught:
            await read_on()
    assert caught.value.code == code
    subscription.close()


async def test_a_lost_wake_up_costs_time_and_no_entry(live: House) -> None:
    live.services.writer.on_commit = None
    async with console(live) as (screen, subscription):
        await screen.read(subscription)
        await live.claim()
        async with asyncio.timeout(10):
            await screen.read(subscription)
        assert len(screen.pending) == 1


async def test_a_database_that_fails_for_a_moment_is_followed_again(
    live: House, monkeypatch: pytest.MonkeyPatch, expected_logs: ExpectedLogs
) -> None:
    async with console(live) as (screen, subscription):
        await screen.read(subscription)

        def fail(*_: object) -> None:
            raise OperationalError("SELECT", {}, Exception("disk I/O error"))

        with expected_logs("could not be followed: OperationalError") as lines:
            monkeypatch.setattr("core.backend.storage.queries.read_changes", fail)
            await live.claim()
            await until(lambda: lines)
            monkeypatch.undo()
            await screen.read(subscription)
        assert len(screen.pending) == 1


async def test_nothing_is_kept_of_whoever_left(live: House) -> None:
    sync = live.services.sync
    student = await live.student()
    for _ in range(3):
        async with console(live) as (screen, subscription):
            await screen.read(subscription)
            at_home = await sync.subscribe_student(student)
            await anext(at_home)
            at_home.close()
    assert (sync._subscriptions, sync._staff, dict(sync._students)) == (set(), set(), {})


# --- students ----------------------------------------------------------------------------------


async def _cards(
    subscription: Subscription, course: UUID, version: int
) -> list[StudentCards | StudentCard]:
    """Messages until this course's card is at this version."""
    messages: list[StudentCards | StudentCard] = []
    card: CardView | None = None
    while card is None or card.version < version:
        message = _STUDENT.validate_json(await anext(subscription))
        messages.append(message)
        cards = message.cards if isinstance(message, StudentCards) else (message.card,)
        card = next((c for c in cards if c.course == course), card)
    assert card.version == version
    return messages


async def _flip(house: House, student: StudentIdentity, enrollment: UUID) -> None:
    officer = await house.officer()
    (answer,) = await house.decide(
        officer, officer.sign(await house.row(enrollment), Verdict.APPROVE)
    )
    assert answer.index is not None
    assert student.student == (await house.row(enrollment)).student.id


@pytest.mark.req("4.3", "3.1", "3.3")
async def test_every_page_of_a_student_flips_and_nobody_elses(live: House) -> None:
    student, other = await live.student("Lerato Khumalo"), await live.student("Sipho Ndlovu")
    enrollment = await live.claim(student)
    course = live.courses[0].id
    sync = live.services.sync
    tabs = [await sync.subscribe_student(student) for _ in range(3)]
    strangers = await sync.subscribe_student(other)
    first = _STUDENT.validate_json(await anext(strangers))
    assert isinstance(first, StudentCards)
    assert first.student is not None
    assert first.student.name == "Sipho Ndlovu"
    for tab in tabs:
        (opening,) = await _cards(tab, course, 2)
        assert isinstance(opening, StudentCards)
        assert len(opening.cards) == 3
    await _flip(live, student, enrollment)
    for tab in tabs:
        message = (await _cards(tab, course, 3))[-1]
        assert isinstance(message, StudentCard)
        assert (message.card.label, message.card.enabled) == ("Continue Course", True)
        tab.close()
    # What comes to the other student next is their own.
    mine = await live.claim(other, course=1)
    message = (await _cards(strangers, live.courses[1].id, 2))[-1]
    assert isinstance(message, StudentCard)
    assert message.card.enrollment == mine
    strangers.close()


async def test_a_student_who_signs_out_is_closed(live: House) -> None:
    student = await live.student()
    body = SignIn(email="student1@mail.example", password=STUDENT_PASSWORD)
    session = await live.services.accounts.student_sign_in(body, address="192.0.2.1")
    subscription = await live.services.sync.subscribe_student(session.identity)
    await anext(subscription)
    await live.services.accounts.student_sign_out(session.token)
    await _closed(subscription, CloseCode.SIGN_IN_NEEDED)
    assert student.student == session.identity.student
