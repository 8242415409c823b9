"""A desk over our real backend: live rows, decisions, verification, the network going away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from uuid_utils.compat import uuid7

from console.app import now
from console.desk import Desk
from console.entered import Entered
from core.client.api import Api
from core.client.connection import ConnectionState, ConnectionStatus
from core.client.device import DeviceKey
from core.client.http import open_http
from core.client.outbox import Outbox, OutboxItem, OutboxState
from core.client.sealing import Sealer
from core.client.secrets import Durability, MemoryStore
from core.client.sender import SenderState
from core.client.session import SessionKeeper
from core.client.witness import Witness, WitnessState, WitnessStatus
from core.domain.decisions import ReasonCode, Verdict
from core.domain.enrollment import EnrollmentStatus
from core.protocol.messages import AnswerKind, Device, DeviceState, EnrollmentRow
from tests.support.live_backend import LiveBackend
from tests.support.live_people import Claimed, LiveDevice
from tests.support.waiting import until


@dataclass
class Heard:
    """What a desk told."""

    rows: dict[str, EnrollmentRow] = field(default_factory=dict)
    snapshots: int = 0
    connection: list[ConnectionState] = field(default_factory=list)
    witness: WitnessStatus | None = None
    items: list[OutboxItem] = field(default_factory=list)
    senders: list[SenderState] = field(default_factory=list)
    devices: list[DeviceState] = field(default_factory=list)
    house: int = 0
    payments: int = 0
    size: int = 0
    as_of: datetime | None = None

    def list_as_of(self, at: datetime | None) -> None:
        self.as_of = at

    def rows_came(self, rows: tuple[EnrollmentRow, ...], *, snapshot: bool) -> None:
        if snapshot:
            self.rows.clear()
            self.snapshots += 1
        for row in rows:
            if row.waiting:
                self.rows[str(row.enrollment)] = row
            else:
                self.rows.pop(str(row.enrollment), None)

    def connection_changed(self, status: ConnectionStatus) -> None:
        self.connection.append(status.state)

    def witness_changed(self, status: WitnessStatus) -> None:
        self.witness = status

    def decisions_changed(self, items: Sequence[OutboxItem]) -> None:
        self.items += items

    def sender_changed(self, state: SenderState) -> None:
        self.senders.append(state)

    def ledger_grew(self, size: int) -> None:
        self.size = max(self.size, size)

    def device_changed(self, device: Device) -> None:
        self.devices.append(device.state)

    def house_changed(self) -> None:
        self.house += 1

    def payments_changed(self) -> None:
        self.payments += 1

    @property
    def state(self) -> WitnessState | None:  # of the witness
        return self.witness.state if self.witness else None

    @property
    def verified_to(self) -> int | None:
        return self.witness.verified_to if self.witness else None

    def last(self, state: OutboxState) -> OutboxItem | None:
        return next((item for item in reversed(self.items) if item.state is state), None)


class Place:
    """A desk at the backend; `async with` it: its tasks live in the loop of the test alone."""

    desk: Desk
    heard: Heard

    def __init__(self, backend: LiveBackend, folder: Path) -> None:
        self.backend = backend
        self._folder = folder
        self._stack = AsyncExitStack()
        self._errors: list[str] = []

    async def __aenter__(self) -> Place:
        self.desk, self.heard, self._errors = await open_desk(
            self.backend, self.backend.device(), self._folder, self._stack
        )
        await until(lambda: self.heard.snapshots, what="the first snapshot")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        assert self._errors == []


async def open_desk(
    backend: LiveBackend, device: LiveDevice, folder: Path, stack: AsyncExitStack
) -> tuple[Desk, Heard, list[str]]:
    api = Api(open_http(backend.url), SessionKeeper(MemoryStore(), "test"))
    stack.push_async_callback(api.aclose)
    await api.keeper.keep(device.session)
    outbox = await Outbox.open(folder / "outbox.sqlite3", Sealer(bytes(32)))
    stack.push_async_callback(outbox.close)
    entered = Entered(
        address=backend.url,
        embedded=True,
        api=api,
        officer=device.session.user,
        workspace=await api.workspace(),
        device=DeviceKey(device.id, device.user, device.key),
        device_state=await api.device(device.id),
        renew_key=partial(asyncio.sleep, 0),
        durability=Durability(remembered=True, message=""),
        outbox=outbox,
    )
    errors: list[str] = []
    desk = Desk(
        entered,
        report=lambda error, name: errors.append(f"{name}: {error!r}"),
        now=now,
        new_id=uuid7,
    )
    stack.push_async_callback(desk.close)
    heard = Heard()
    witness = await Witness.open(folder / "witness.json", source=api, on_change=desk.witness_moved)
    await desk.start(heard, witness)
    return desk, heard, errors


async def row_of(heard: Heard, claimed: Claimed) -> EnrollmentRow:
    key = str(claimed.enrollment)
    await until(lambda: key in heard.rows, what="the claim in the list")
    return heard.rows[key]


@pytest.fixture
def place(live_backend: LiveBackend, tmp_path: Path) -> Place:
    return Place(live_backend, tmp_path)


@pytest.mark.req("4.1", "4.4")
async def test_a_claim_comes_live_and_leaves_when_somebody_decides(place: Place) -> None:
    async with place:
        claimed = place.backend.claim()
        key = str(claimed.enrollment)
        await until(lambda: key in place.heard.rows, what="the claim in the list")
        other = place.backend.device(number=1)
        place.backend.approve(other, claimed.enrollment)
        await until(lambda: key not in place.heard.rows, what="the row gone")


@pytest.mark.req("4.2")
async def test_an_approval_is_signed_sent_and_found_in_the_ledger(place: Place) -> None:
    async with place:
        claimed = place.backend.claim()
        row = await row_of(place.heard, claimed)
        # Behind the last checkpoint entries are proven as a whole, not read one by one.
        await until(lambda: place.heard.verified_to == place.backend.size, what="the witness")
        await place.desk.decide(row, Verdict.APPROVE)
        await until(lambda: place.heard.last(OutboxState.ACCEPTED), what="the answer")
        assert place.backend.row(claimed.enrollment).status is EnrollmentStatus.APPROVED
        await until(
            lambda: place.heard.witness is not None and place.heard.witness.confirmed == 1,
            what="the decision found as signed",
        )
        witness = place.heard.witness
        assert witness is not None
        assert witness.state is WitnessState.FOLLOWING
        await until(
            lambda: place.heard.witness and place.heard.witness.verified_to == place.backend.size
        )


async def test_the_second_officer_reads_who_was_first(place: Place) -> None:
    async with place:
        claimed = place.backend.claim()
        row = await row_of(place.heard, claimed)
        other = place.backend.device(number=1)
        place.backend.approve(other, claimed.enrollment)
        await place.desk.decide(
            row, Verdict.REJECT, reason=ReasonCode.NO_PAYMENT_FOUND, note="Nothing."
        )
        await until(lambda: place.heard.last(OutboxState.CONFLICT), what="the conflict")
        item = place.heard.last(OutboxState.CONFLICT)
        assert item is not None
        assert item.answer is not None
        assert item.answer.kind is AnswerKind.CONFLICT_DECIDED
        surname = other.session.user.name.split()[-1]
        assert f"{surname} approved this at" in item.answer.message


async def test_what_is_decided_offline_goes_out_by_itself(place: Place) -> None:
    async with place:
        claimed = place.backend.claim()
        row = await row_of(place.heard, claimed)
        with place.backend.offline():
            await until(lambda: place.heard.connection[-1] is ConnectionState.LOST, what="the loss")
            await place.desk.decide(row, Verdict.APPROVE)
            await until(lambda: SenderState.UNREACHABLE in place.heard.senders, what="a failed try")
        place.desk.retry_now()
        await until(lambda: place.heard.last(OutboxState.ACCEPTED), what="the answer", timeout=30)
        await until(
            lambda: place.heard.connection[-1] is ConnectionState.LIVE, what="live", timeout=30
        )
        assert place.backend.row(claimed.enrollment).status is EnrollmentStatus.APPROVED
        await until(lambda: str(claimed.enrollment) not in place.heard.rows)


async def test_what_was_not_sent_goes_out_after_the_next_start(
    live_backend: LiveBackend, tmp_path: Path
) -> None:
    device, claimed = live_backend.device(), live_backend.claim()
    async with AsyncExitStack() as stack:
        desk, heard, _ = await open_desk(live_backend, device, tmp_path, stack)
        row = await row_of(heard, claimed)
        with live_backend.offline():
            await desk.decide(row, Verdict.APPROVE)
            await until(lambda: SenderState.UNREACHABLE in heard.senders)
            await stack.aclose()
    async with AsyncExitStack() as stack:
        _, heard, errors = await open_desk(live_backend, device, tmp_path, stack)
        await until(lambda: heard.last(OutboxState.ACCEPTED), what="the answer", timeout=30)
        assert errors == []
    assert live_backend.row(claimed.enrollment).status is EnrollmentStatus.APPROVED


async def test_a_ledger_that_is_shorter_than_what_was_seen_stops_the_feed(
    place: Place, live_backend: LiveBackend
) -> None:
    async with place:
        await until(lambda: place.heard.verified_to == place.backend.size, what="the witness")
        place.desk._feed.next = 10_000  # as if this console had seen what the backend now denies
        with live_backend.offline():
            await until(lambda: place.heard.connection[-1] is ConnectionState.LOST, what="the loss")
        place.desk.retry_now()
        await until(
            lambda: place.heard.connection[-1] is ConnectionState.ALARM,
            what="the alarm",
            timeout=30,
        )


async def test_nothing_is_sent_to_a_ledger_in_doubt(
    place: Place, live_backend: LiveBackend
) -> None:
    async with place:
        claimed = place.backend.claim()
        row = await row_of(place.heard, claimed)
        await until(lambda: place.heard.verified_to == place.backend.size, what="the witness")
        seen, place.desk._feed.next = place.desk._feed.next, 10_000  # as above
        with live_backend.offline():
            await until(lambda: place.heard.connection[-1] is ConnectionState.LOST, what="the loss")
        place.desk.retry_now()
        await until(lambda: place.heard.connection[-1] is ConnectionState.ALARM, what="the alarm")
        place.desk._feed.next = seen
        await place.desk.decide(row, Verdict.APPROVE)
        await until(
            lambda: (
                place.heard.items[-1].reason_message
                == "The ledger cannot be trusted: nothing is sent."
            ),
            what="the decision kept",
        )
        assert place.backend.row(claimed.enrollment).waiting
        # A person was told why, and takes it.
        await place.desk.accept_alarm()
        await until(lambda: place.heard.last(OutboxState.ACCEPTED), what="the answer", timeout=30)


async def test_history_is_fetched(place: Place) -> None:
    async with place:
        claimed = place.backend.claim()
        detail = await place.desk.detail(claimed.enrollment)
        assert detail.card.label == "Pending Approval"
        assert len(detail.timeline) >= 2


async def test_after_an_accepted_alarm_it_follows_again(place: Place) -> None:
    async with place:
        await place.desk.accept_alarm()
        await until(lambda: place.heard.snapshots == 2, what="a fresh snapshot")
        await until(lambda: place.heard.state is WitnessState.FIRST_CONTACT)
        await place.desk.accept_first_contact()
        await until(lambda: place.heard.state is WitnessState.FOLLOWING)


async def test_what_is_discarded_offline_is_withdrawn_on_the_ledger(place: Place) -> None:
    async with place:
        claimed = place.backend.claim()
        row = await row_of(place.heard, claimed)
        with place.backend.offline():
            item = await place.desk.decide(row, Verdict.APPROVE)
            await until(lambda: SenderState.UNREACHABLE in place.heard.senders, what="a failed try")
            await place.desk.discard_item(item.id)
            assert place.heard.last(OutboxState.WITHDRAWN) is not None
        place.desk.retry_now()
        await until(lambda: place.heard.last(OutboxState.ACCEPTED), what="the withdrawal")
        withdrawal = place.heard.last(OutboxState.ACCEPTED)
        assert withdrawal is not None
        assert withdrawal.withdraws == item.id
        assert place.backend.row(claimed.enrollment).waiting
        actions = [entry.leaf for entry in place.backend.detail(claimed.enrollment).timeline]
        assert sum('"action":"decision.withdrawn"' in leaf for leaf in actions) == 1


async def test_an_item_is_retried_and_an_ended_one_leaves_the_list(place: Place) -> None:
    async with place:
        claimed = place.backend.claim()
        row = await row_of(place.heard, claimed)
        place.backend.approve(place.backend.device(number=1), claimed.enrollment)
        with place.backend.offline():
            item = await place.desk.decide(row, Verdict.APPROVE)
            await until(lambda: SenderState.UNREACHABLE in place.heard.senders, what="a failed try")
        await place.desk.retry_item(item.id)
        await until(lambda: place.heard.last(OutboxState.CONFLICT), what="the answer")
        assert (await place.desk.outbox_summary()).needs_attention == 1
        await place.desk.dismiss_item(item.id)
        assert (await place.desk.outbox_summary()).needs_attention == 0
        items = await place.desk.outbox_items()
        assert [(one.id, one.state, one.dismissed) for one in items] == [
            (item.id, OutboxState.CONFLICT, True)
        ]
        assert await place.desk.notices() == ()
        assert await place.desk.others_waiting() == 0
