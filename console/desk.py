"""`Desk`: one officer at one backend. Joins the parts of core.client and tells the window."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from console.administration import DeskAdministration
from console.card_news import about_cards
from console.copying import Copying, size_after
from console.enrollment import Enrollment
from console.entered import Entered
from console.meeting import AfterMeeting, Meeting
from console.queueing import Queueing
from console.runtime.tasks import TaskRunner
from core.client.api_admin import AccountApi
from core.client.api_payments import PaymentsApi
from core.client.audit import AuditReader, Trust
from core.client.confirming import Confirmer
from core.client.connection import ConnectionState, ConnectionStatus
from core.client.errors import ClientError
from core.client.live import Applied, LiveFeed
from core.client.outbox import Notice, OutboxItem, OutboxSummary
from core.client.sender import Sender, SenderState
from core.client.witness import Witness, WitnessState, WitnessStatus
from core.domain.decisions import ReasonCode, Verdict
from core.protocol.feed import FeedClient
from core.protocol.messages import (
    Device,
    DeviceState,
    EnrollmentDetail,
    EnrollmentRow,
)


class DeskEvents(Protocol):
    """What a desk tells, on the loop."""

    def rows_came(self, rows: tuple[EnrollmentRow, ...], *, snapshot: bool) -> None: ...

    def list_as_of(self, at: datetime | None) -> None:
        """The list stands as it was then (UTC) and nothing newer comes; None: it is live."""

    def connection_changed(self, status: ConnectionStatus) -> None: ...

    def witness_changed(self, status: WitnessStatus) -> None: ...

    def decisions_changed(self, items: Sequence[OutboxItem]) -> None:
        """Own decisions are new or moved on, those of one answer together."""

    def sender_changed(self, state: SenderState) -> None: ...

    def device_changed(self, device: Device) -> None: ...

    def ledger_grew(self, size: int) -> None: ...

    def house_changed(self) -> None: ...

    def payments_changed(self) -> None:
        """Something about card money came on the ledger."""


class Desk:
    """Start it with the one that listens; afterwards it follows, sends and verifies by itself.

    Opened with a copy (`entered.copy`), it shows that until the backend is there: then it resumes
    the session, meets the ledger, follows and sends, without a click.
    """

    def __init__(
        self,
        entered: Entered,
        *,
        report: Callable[[BaseException, str], None],
        now: Callable[[], datetime],
        new_id: Callable[[], UUID],
    ) -> None:
        self.entered = entered
        self._tasks = TaskRunner(report)
        self._feed = FeedClient()
        self._events: DeskEvents | None = None
        self._witness: Witness | None = None
        self._confirmer: Confirmer | None = None
        self._connected = ConnectionState.CONNECTING
        self.account = AccountApi(entered.api)
        self.payments = PaymentsApi(entered.api, new_id)
        self.audit = AuditReader(entered.api, trust=self._trust)
        self.enrollment = Enrollment(
            entered,
            on_change=self._device_changed,
            on_news=lambda: self._tell(lambda events: events.house_changed()),
            new_id=new_id,
        )
        self.administration = DeskAdministration(entered.api, self.enrollment, new_id=new_id)
        self._meeting = Meeting(entered, self.enrollment)
        self._copying = Copying(
            entered,
            meeting=self._meeting,
            enrollment=self.enrollment,
            epoch=lambda: self._feed.epoch,
            now=now,
        )
        self._sender = Sender(
            api=AfterMeeting(entered, self._meeting, in_doubt=self._is_in_doubt),
            outbox=entered.outbox,
            officer=entered.officer.id,
            device=entered.device.id,
            on_results=self._results,
            on_state=self._sender_state,
            on_trouble=lambda error: report(error, "sender"),
            now=now,
        )
        self._queue = Queueing(
            entered,
            as_of=self._last_seen,
            is_live=lambda: self._connected is ConnectionState.LIVE,
            on_change=lambda item: self._items_changed((item,)),
            wake=self._sender.wake,
            now=now,
            new_id=new_id,
        )
        self._live = self._listen(self._feed)

    async def start(self, events: DeskEvents, witness: Witness) -> None:
        """`witness` must report to `witness_moved`. Raises ClientError if the queue fails."""
        self._events, self._witness = events, witness
        self._meeting.join(witness)
        copy = self.entered.copy
        if copy is None:
            await self._meeting.ensure()
        else:
            events.rows_came(copy.rows, snapshot=True)
            events.list_as_of(copy.as_of)
        events.witness_changed(witness.status)
        events.decisions_changed(await self._queue.unsettled())
        self._confirmer = Confirmer(
            source=self.entered.api,
            outbox=self.entered.outbox,
            witness=witness,
            officer=self.entered.officer.id,
        )
        self._tasks.start("confirmer", self._confirmer.run())
        self._tasks.start("sender", self._sender.run())
        self._tasks.start("offline copy", self._copying.run())
        known = copy if copy is not None and copy.epoch == witness.epoch else None
        self._follow_feed(
            FeedClient(witness.epoch)
            if known is None
            else FeedClient(known.epoch, known.next_index)
        )

    async def close(self) -> None:
        """Stop following and sending; what is not sent stays in the outbox."""
        self._events = None
        await self._tasks.close()
        await self._copying.close()

    # --- what the window asks ---

    @property
    def is_sending(self) -> bool:
        """Whether a decision is on its way in this moment."""
        return self._sender.state is SenderState.SENDING

    async def decide(
        self,
        row: EnrollmentRow,
        verdict: Verdict,
        *,
        reason: ReasonCode | None = None,
        note: str | None = None,
    ) -> OutboxItem:
        """Sign and store a decision about `row` as shown; the sender takes it from there.

        Raises ClientError.
        """
        return await self._queue.decide(row, verdict, reason=reason, note=note)

    async def decide_again(self, item: OutboxItem, row: EnrollmentRow) -> OutboxItem:
        """The same about `row` as it is now, in place of `item`. Raises ClientError."""
        return await self._queue.decide_again(item, row)

    async def retry_item(self, item: UUID) -> None:
        """Try a decision again now. Raises ClientError."""
        await self._queue.retry(item)

    async def discard_item(self, item: UUID) -> None:
        """Take a waiting decision back, on the ledger too when it can. Raises ClientError."""
        await self._queue.discard(item)

    async def dismiss_item(self, item: UUID) -> None:
        """Take what has ended off the list. Raises ClientError."""
        await self._queue.dismiss(item)

    async def outbox_items(self) -> list[OutboxItem]:
        """Own decisions: open ones, then those that are done. Raises ClientError."""
        return await self._queue.items()

    async def outbox_summary(self) -> OutboxSummary:
        """How much waits. Raises ClientError."""
        return await self._queue.summary()

    async def others_waiting(self) -> int:
        """How many decisions of other officers wait on this computer. Raises ClientError."""
        return await self._queue.others_waiting()

    async def notices(self) -> tuple[Notice, ...]:
        """What was set aside on this computer. Raises ClientError."""
        return await self._queue.notices()

    async def dismiss_notice(self, notice: int) -> None:
        """Somebody has read it. Raises ClientError."""
        await self._queue.dismiss_notice(notice)

    async def detail(self, enrollment: UUID) -> EnrollmentDetail:
        """History and card of one enrollment. Raises ClientError."""
        return await self.entered.api.enrollment(enrollment)

    async def accept_first_contact(self) -> None:
        """A person compared the fingerprint."""
        if self._witness is not None:
            await self._witness.accept_first_contact()

    async def accept_alarm(self) -> None:
        """A person saw the alarm: take the backend's ledger as a new one and follow it."""
        if self._witness is None:
            return
        await self._witness.accept_alarm()
        await self._meeting.meet(self._witness)
        await self.enrollment.look_at_roots()
        self._follow_feed(FeedClient(self._witness.epoch))
        self._later("retry", self._sender.retry_now())

    def retry_now(self) -> None:
        """Somebody does not want to wait for the next try, or wants one after a refusal."""
        if self._tasks.is_running("live feed"):
            self._live.retry_now()
        else:
            self._tasks.start("live feed", self._live.run())
        self._later("retry", self._sender.retry_now())

    async def sign_out(self) -> None:
        """End the session. Decisions that wait stay on this computer. Raises ClientError."""
        await self.entered.api.sign_out()

    # --- what the parts tell ---

    def witness_moved(self, status: WitnessStatus) -> None:
        """For the witness's `on_change`."""
        if self._confirmer is not None:
            self._confirmer.wake()
        self._tell(lambda events: events.witness_changed(status))

    def _follow_feed(self, feed: FeedClient) -> None:
        """Of the ledger that the witness knows and of no other."""
        self._feed = feed
        self._live = self._listen(feed)
        self._tasks.replace("live feed", self._live.run())

    def _listen(self, feed: FeedClient) -> LiveFeed:
        return LiveFeed(
            url=self.entered.api.live_url,
            tokens=self.entered.api,
            feed=feed,
            on_batch=self._batch,
            on_status=self._connection,
        )

    def _trust(self) -> Trust:
        """What an entry is held against."""
        if self._witness is None:
            return Trust(verified=None, roots=frozenset())
        roots = frozenset(self._witness.status.root_devices)
        return Trust(verified=self._witness.verified, roots=roots)

    def _is_in_doubt(self) -> bool:
        """Whether the ledger may be another one: nothing is decided or sent meanwhile."""
        alarm = self._witness is not None and self._witness.status.state is WitnessState.ALARM
        return alarm or self._connected is ConnectionState.ALARM

    def _last_seen(self) -> int:
        return max((self._feed.next or self._copying.next_index or 0) - 1, 0)

    async def _batch(self, applied: Applied) -> None:
        # The rows first: an officer sees them at once, the proof follows within milliseconds.
        if applied.snapshot is not None:
            snapshot = applied.snapshot
            self._tell(lambda events: events.rows_came(snapshot, snapshot=True))
        if applied.changed:
            self._tell(lambda events: events.rows_came(applied.changed, snapshot=False))
        self._copying.follow(applied)
        await self._verify(applied)
        await self.enrollment.follow(applied.entries)
        if about_cards(applied.entries):
            self._tell(lambda events: events.payments_changed())
        size = size_after(applied)
        if size is not None:
            self._tell(lambda events: events.ledger_grew(size))

    async def _verify(self, applied: Applied) -> None:
        try:
            await self._meeting.ensure()
        except ClientError:
            return  # what the witness misses now is proven as a whole by the next checkpoint
        if self._witness is not None:
            await self._witness.follow(applied.events)

    def _connection(self, status: ConnectionStatus) -> None:
        before, self._connected = self._connected, status.state
        live = status.state is ConnectionState.LIVE
        self._copying.set_live(live=live)
        if live or before is ConnectionState.LIVE:
            as_of = None if live else self._copying.as_of
            self._tell(lambda events: events.list_as_of(as_of))
        self._tell(lambda events: events.connection_changed(status))
        if live:
            self._later("retry", self._sender.signed_in())
            self._later("device", self.enrollment.catch_up())
        elif status.state is ConnectionState.ALARM:
            self._later("witness", self._look_again())

    async def _look_again(self) -> None:
        """The feed was refused for what it knows: the witness says what exactly does not hold."""
        if self._witness is not None:
            await self._meeting.meet(self._witness)

    def _results(self, items: Sequence[OutboxItem]) -> None:
        if self._confirmer is not None:
            for item in items:
                self._confirmer.add(item)  # the ledger has to hold it as it was signed
        self._items_changed(items)

    def _items_changed(self, items: Sequence[OutboxItem]) -> None:
        self._tell(lambda events: events.decisions_changed(items))

    def _device_changed(self, device: Device) -> None:
        """Held decisions go out by themselves as soon as this console may sign."""
        if device.state is DeviceState.ENROLLED:
            self._later("retry", self._sender.retry_now())
        self._tell(lambda events: events.device_changed(device))

    def _sender_state(self, state: SenderState) -> None:
        self._tell(lambda events: events.sender_changed(state))

    def _tell(self, say: Callable[[DeskEvents], None]) -> None:
        if self._events is not None:
            say(self._events)

    def _later(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.start(name, work)
