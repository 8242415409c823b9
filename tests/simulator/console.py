"""A console: its machine, which outlives it, and one run of the program on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from core.client.confirming import Confirmer
from core.client.connection import ConnectionState, ConnectionStatus
from core.client.decider import Decider
from core.client.errors import ClientError, DecisionError, OutboxError, SignInNeededError
from core.client.live import Applied
from core.client.outbox import Outbox, OutboxItem, OutboxState
from core.client.sealing import Sealer
from core.client.secrets import MemoryStore
from core.client.sender import Sender, SenderState
from core.client.witness import Witness, WitnessStatus
from core.domain.decisions import ReasonCode, Verdict
from core.protocol.messages import EnrollmentRow
from tests.simulator.book import Book
from tests.simulator.build import Build
from tests.simulator.chance import Chance, Ids
from tests.simulator.network import Link
from tests.simulator.process import Process
from tests.simulator.template import PASSWORD, House, Person
from tests.simulator.wire import Nodes, WiredApi, WiredFeed


@dataclass(frozen=True)
class Desk:
    """An officer's machine: what stays when the program ends. `rows` stand for the copy of the
    list that a console opens offline with."""

    number: int
    person: Person
    folder: Path
    link: Link
    store: MemoryStore
    clock: Callable[[], datetime]
    house: House
    nodes: Nodes
    build: Build
    book: Book
    tell: Callable[[str], None]
    rows: dict[UUID, EnrollmentRow]

    @property
    def queue(self) -> Path:
        return self.folder / "outbox.sqlite3"


class Console:
    """One run: as `console/desk.py` joins the parts, with a person who signs in when asked to."""

    def __init__(self, desk: Desk, chance: Chance, process: Process, key: bytes) -> None:
        self.desk = desk
        self.process = process
        self.outbox: Outbox | None = None
        self.witness: Witness | None = None
        self.confirmer: Confirmer | None = None
        self.feed = desk.build.feed_client()
        self.unusable = ""
        """Why the queue could not be opened, in the words that the officer read."""
        self.decider: Decider | None = None
        self.sender: Sender | None = None
        self._chance = chance
        self._sealer = Sealer(key, chance.randbytes)
        self._api = WiredApi(desk.link, desk.nodes, desk.store)

    @property
    def is_paused(self) -> bool:
        """Whether nothing is sent before somebody signs in."""
        return self.sender is not None and self.sender.state is SenderState.SIGN_IN_NEEDED

    def knows_all(self, size: int) -> bool:
        """Whether it has seen and verified the whole ledger, its own decisions included."""
        if self.witness is None or self.confirmer is None or self.confirmer.open:
            return False
        return self.feed.next == size == self.witness.status.verified_to

    async def waiting(self) -> list[OutboxItem]:
        """What this officer decided and nobody has answered yet."""
        return [] if self.outbox is None else await self.outbox.waiting_for(self.desk.person.id)

    def start(self) -> None:
        self.process.spawn(self._main(), "main")

    def close(self) -> None:
        """What the operating system does when a process ends: its files and sockets are closed."""
        if self.outbox is not None:
            self.outbox._file.close()
        self.desk.link.hang_up()

    # --- what the officer does -----------------------------------------------------------------

    async def decide(
        self, row: EnrollmentRow, verdict: Verdict, reason: ReasonCode | None, note: str | None
    ) -> OutboxItem | None:
        """What is kept now; None where the officer was told at once that nothing is."""
        if self.decider is None or self.sender is None:
            return None
        try:
            item = await self.decider.decide(row, verdict, reason=reason, note=note)
        except (DecisionError, OutboxError):
            return None
        self.desk.book.decided(self.desk.number, item)
        self.desk.tell(f"{item.verdict} of {row.reference} v{row.version} kept as n={item.n}")
        self.sender.wake()
        return item

    async def withdraw(self, item: OutboxItem) -> None:
        if self.decider is None or self.sender is None:
            return
        try:
            await self.decider.withdraw(item)
        except (DecisionError, OutboxError):
            return
        self.desk.tell(f"n={item.n} withdrawn")
        self.sender.wake()

    async def retry(self) -> None:
        """Have everything tried again that needs a person."""
        if self.outbox is None or self.sender is None:
            return
        for item in await self.open_items():
            if item.state is OutboxState.NEEDS_PERSON:
                await self.outbox.retry(item.id, self.desk.clock())
        self.sender.wake()

    async def open_items(self) -> list[OutboxItem]:
        """What this officer's list of decisions shows as not done. It is read."""
        if self.outbox is None:
            return []
        items = await self.outbox.open_for(self.desk.person.id)
        for item in items:
            if item.state is OutboxState.NEEDS_PERSON:
                self.desk.book.stuck[self.desk.number, item.id] = str(item.reason_code)
        return items

    async def read_notices(self) -> None:
        """What was set aside is told on top of every screen."""
        if self.outbox is not None:
            for notice in await self.outbox.notices():
                if self.desk.book.told(self.desk.number, notice):
                    self.desk.tell(f"notice: {notice.message}")

    async def dismiss(self, item: OutboxItem) -> None:
        """Have it off the list: the officer has read it."""
        if self.outbox is not None:
            with suppress(DecisionError, OutboxError):
                await self.outbox.dismiss(item.id)

    # --- the program ---------------------------------------------------------------------------

    async def _main(self) -> None:
        desk = self.desk
        try:
            self.outbox = await desk.build.outbox.open(desk.queue, self._sealer, desk.clock)
        except OutboxError as error:
            self.unusable = str(error)
            desk.tell(f"the queue does not open: {error}")
            return
        await self.read_notices()
        self.witness = await Witness.open(
            desk.folder / "witness.json", source=self._api, on_change=self._witnessed,
            now=desk.clock,
        )  # fmt: skip
        self.confirmer = desk.build.confirmer(
            source=self._api, outbox=self.outbox, witness=self.witness, officer=desk.person.id,
            jitter=self._chance.random,
        )  # fmt: skip
        self.feed = desk.build.feed_client(self.witness.epoch)
        self.decider = Decider(
            device=desk.person.key, outbox=self.outbox, as_of=self._last_seen, now=desk.clock,
            new_id=Ids(self._chance), random_bytes=self._chance.randbytes,
        )  # fmt: skip
        self.sender = Sender(
            api=self._api, outbox=self.outbox, officer=desk.person.id, device=desk.person.key.id,
            on_results=self._results, on_state=self._sending, now=desk.clock,
            jitter=self._chance.random,
        )  # fmt: skip
        self.process.spawn(self.sender.run(), "sender")
        self.process.spawn(self.confirmer.run(), "confirmer")
        await self._enter()
        await self.witness.meet(desk.house.workspace)
        await self.witness.accept_first_contact()
        await self.witness.pin_roots(desk.house.workspace.root_fingerprints)
        await self._follow()

    async def _enter(self) -> None:
        """Sign in, as often as it takes."""
        while True:
            try:
                await self._sign_in()
            except ClientError as error:
                self.desk.tell(f"no sign-in: {error}")
                await asyncio.sleep(self._chance.uniform(3.0, 20.0))
            else:
                return

    async def _sign_in(self) -> None:
        try:
            await self._api.resume()
        except SignInNeededError:
            await self._api.sign_in(self.desk.person.email, PASSWORD)

    async def _follow(self) -> None:
        """Follow the feed; whenever it needs a person, the person comes after a while."""
        while True:
            live = WiredFeed(
                self.desk.link, self.desk.nodes, tokens=self._api, feed=self.feed,
                on_batch=self._batch, on_status=self._status, jitter=self._chance.random,
            )  # fmt: skip
            await live.run()
            self.desk.tell(f"the feed ended: {live.status.state}")
            await asyncio.sleep(self._chance.uniform(2.0, 15.0))
            await self._enter()
            await self._signed_in()

    async def _signed_in(self) -> None:
        if self.sender is not None:
            await self.sender.signed_in()

    async def _catch_up(self) -> None:
        """A connection is there: sign in where the sender needs it, learn the next number."""
        if self.outbox is None or self.sender is None:
            return
        with suppress(ClientError):
            device = await self._api.device(self.desk.person.key.id)
            await self.outbox.learn_next_n(device.id, device.next_n)
        await self.sender.signed_in()

    # --- what the parts tell -------------------------------------------------------------------

    def _last_seen(self) -> int:
        return max((self.feed.next or 0) - 1, 0)

    async def _batch(self, applied: Applied) -> None:
        rows = self.desk.rows
        if applied.snapshot is not None:
            rows.clear()
            rows.update((row.enrollment, row) for row in applied.snapshot)
        rows.update((row.enrollment, row) for row in applied.changed)
        for seen in applied.checkpoints:
            self.desk.book.checkpoints[seen.size, seen.note] = None
        if self.witness is not None:
            await self.witness.follow(applied.events)

    def _status(self, status: ConnectionStatus) -> None:
        self.desk.tell(f"feed {status.state}")
        if status.state is ConnectionState.LIVE:
            self.process.spawn(self._catch_up(), "catch up")

    def _results(self, items: Sequence[OutboxItem]) -> None:
        for item in items:
            self.desk.tell(f"n={item.n} is {item.state} ({item.reason_code})")
            if self.confirmer is not None:
                self.confirmer.add(item)

    def _witnessed(self, status: WitnessStatus) -> None:
        if status.alarm is not None:
            self.desk.tell(f"alarm: {status.alarm.message}")
        if self.confirmer is not None:
            self.confirmer.wake()

    def _sending(self, state: SenderState) -> None:
        if state is SenderState.SIGN_IN_NEEDED:
            self.process.spawn(self._come_back(), "sign in")

    async def _come_back(self) -> None:
        """The person reads that a sign-in is needed, and signs in after a while."""
        await asyncio.sleep(self._chance.uniform(2.0, 15.0))
        await self._enter()
        await self._signed_in()
