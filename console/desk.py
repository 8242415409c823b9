"""`Desk`: one officer at one backend. Joins the parts of core.client and tells the window."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from console.administration import DeskAdministration
from console.enrollment import Enrollment
from console.entered import Entered
from console.runtime.tasks import TaskRunner
from core.client.api_admin import AccountApi
from core.client.audit import AuditReader, Trust
from core.client.connection import ConnectionState, ConnectionStatus
from core.client.decider import Decider
from core.client.live import Applied, LiveFeed
from core.client.outbox import OutboxItem, OutboxState
from core.client.sender import Sender, SenderState
from core.client.witness import Witness, WitnessStatus
from core.domain.decisions import ReasonCode, Verdict
from core.protocol.feed import FeedClient, Snapshot
from core.protocol.messages import (
    Device,
    DeviceState,
    EnrollmentDetail,
    EnrollmentRow,
)


class DeskEvents(Protocol):
    """What a desk tells, on the loop."""

    def rows_came(self, rows: tuple[EnrollmentRow, ...], *, snapshot: bool) -> None: ...

    def connection_changed(self, status: ConnectionStatus) -> None: ...

    def witness_changed(self, status: WitnessStatus) -> None: ...

    def decision_changed(self, item: OutboxItem) -> None: ...

    def sender_changed(self, state: SenderState) -> None: ...

    def device_changed(self, device: Device) -> None: ...

    def ledger_grew(self, size: int) -> None: ...

    def house_changed(self) -> None: ...


class Desk:
    """Start it with the one that listens; afterwards it follows, sends and verifies by itself."""

    def __init__(
        self,
        entered: Entered,
        *,
        report: Callable[[BaseException, str], None],
        now: Callable[[], datetime],
        new_id: Callable[[], UUID],
    ) -> None:
        self.entered = entered
        self._now = now
        self._tasks = TaskRunner(report)
        self._feed = FeedClient()
        self._events: DeskEvents | None = None
        self._witness: Witness | None = None
        self._decider = Decider(
            device=entered.device,
            outbox=entered.outbox,
            as_of=self._last_seen,
            now=now,
            new_id=new_id,
        )
        self._sender = Sender(
            api=entered.api,
            outbox=entered.outbox,
            officer=entered.officer.id,
            device=entered.device.id,
            on_result=self._result,
            on_state=self._sender_state,
            now=now,
        )
        self._live = self._listen(self._feed)
        self.account = AccountApi(entered.api)
        self.audit = AuditReader(entered.api, trust=self._trust)
        self.enrollment = Enrollment(
            entered,
            on_change=self._device_changed,
            on_news=lambda: self._tell(lambda events: events.house_changed()),
            new_id=new_id,
        )
        self.administration = DeskAdministration(entered.api, self.enrollment, new_id=new_id)

    async def start(self, events: DeskEvents, witness: Witness) -> None:
        """`witness` must report to `witness_moved`. Raises ClientError if the queue fails."""
        self._events, self._witness = events, witness
        await self.entered.outbox.learn_next_n(
            self.entered.device.id, self.entered.device_state.next_n
        )
        waiting = await self.entered.outbox.open_for(self.entered.officer.id)
        await witness.meet(self.entered.workspace)
        if self.entered.embedded:
            await witness.accept_first_contact()  # our own child, on this computer
        self.enrollment.join(witness)
        await self.enrollment.pin_roots(self.entered.workspace)
        events.witness_changed(witness.status)
        for item in waiting:
            if item.state not in {OutboxState.CONFLICT, OutboxState.REFUSED}:
                events.decision_changed(item)
        self._tasks.start("sender", self._sender.run())
        self._follow_feed(witness)

    async def close(self) -> None:
        """Stop following and sending; what is not sent stays in the outbox."""
        self._events = None
        await self._tasks.close()

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
        item = await self._decider.decide(row, verdict, reason=reason, note=note)
        self._tell(lambda events: events.decision_changed(item))
        self._sender.wake()
        return item

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
        await self._witness.meet(self.entered.workspace)
        await self.enrollment.look_at_roots()
        self._follow_feed(self._witness)

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
        self._tell(lambda events: events.witness_changed(status))

    def _follow_feed(self, witness: Witness) -> None:
        """From a snapshot on, of the ledger that the witness knows and of no other."""
        self._feed = FeedClient(witness.epoch)
        self._live = self._listen(self._feed)
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

    def _last_seen(self) -> int:
        return max((self._feed.next or 0) - 1, 0)

    async def _batch(self, applied: Applied) -> None:
        # The rows first: an officer sees them at once, the proof follows within milliseconds.
        if applied.snapshot is not None:
            snapshot = applied.snapshot
            self._tell(lambda events: events.rows_came(snapshot, snapshot=True))
        if applied.changed:
            self._tell(lambda events: events.rows_came(applied.changed, snapshot=False))
        if self._witness is not None:
            await self._witness.follow(applied.events)
        await self.enrollment.follow(applied.entries)
        size = _size_after(applied)
        if size is not None:
            self._tell(lambda events: events.ledger_grew(size))

    def _connection(self, status: ConnectionStatus) -> None:
        self._tell(lambda events: events.connection_changed(status))
        if status.state is ConnectionState.LIVE:
            self._later("retry", self._sender.retry_now())
            self._later("device", self.enrollment.catch_up())
        elif status.state is ConnectionState.ALARM:
            self._later("witness", self._look_again())

    async def _look_again(self) -> None:
        """The feed was refused for what it knows: the witness says what exactly does not hold."""
        if self._witness is not None:
            await self._witness.meet(self.entered.workspace)

    def _result(self, item: OutboxItem) -> None:
        answer = item.answer
        if item.state is OutboxState.ACCEPTED and answer is not None and answer.index is not None:
            self._later("expect", self._expect(item, answer.index))
        self._tell(lambda events: events.decision_changed(item))

    async def _expect(self, item: OutboxItem, index: int) -> None:
        if self._witness is not None:
            await self._witness.expect(item.payload, item.signature, index)

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


def _size_after(applied: Applied) -> int | None:
    """How many entries the ledger has at least, as this batch tells."""
    if applied.entries:
        return applied.entries[-1].index + 1
    first = applied.events[0] if applied.events else None
    return first.size if isinstance(first, Snapshot) else None
