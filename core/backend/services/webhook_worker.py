"""Working on the callbacks that came: the provider is asked, and only what it says is applied.

Each try is kept. What fails comes again after a growing delay, and at last waits for a person as a
dead letter. Any number of nodes may work: a delivery is taken for a while, and confirming a payment
twice applies once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from core.backend.gateway.callback import failure_of
from core.backend.services.confirmations import Answer, Confirmations, Confirmed
from core.backend.services.errors import BusyError
from core.backend.services.group_commit import GroupCommit
from core.backend.storage import payments, webhooks
from core.backend.storage.errors import StorageError
from core.backend.storage.reader import Reader
from core.backend.storage.webhook_records import Delivery, Tried, Try
from core.backend.storage.writer import Writer
from core.domain.webhooks import MAX_TRIES, DeliveryState, retry_after

log = structlog.get_logger(__name__)
_TROUBLE = (SQLAlchemyError, StorageError, BusyError, OSError)

# Few: whoever calls back, and every officer, waits for the same writer.
AT_ONCE = 4
POLL_SECONDS = 2.0
# Longer than asking the provider can take.
LEASE = timedelta(minutes=2)
UNREADABLE, MISMATCH, LOST = "unreadable", "mismatch", "lost"
_MAX_OUTCOME = 40


@dataclass(frozen=True, slots=True)
class _Came:
    """What a try came to. `good`: done with; otherwise `again` says whether to try once more."""

    outcome: str
    message: str
    good: bool = False
    again: bool = True
    enrollment: UUID | None = None


_UNREADABLE = _Came(UNREADABLE, "This is rightly signed, but says nothing we know.", again=False)
_MISMATCH = _Came(
    MISMATCH, "It names a link and a payment that do not belong together.", again=False
)
_LOST = _Came(LOST, "The backend ended while it worked on this, each time.", again=False)
_UNPAID = "It says paid, but the provider's status does not."


class DeliveryWorker:
    """`start` and `stop` on the event loop; `wake` when something came; `work` does it all now."""

    def __init__(
        self,
        *,
        reader: Reader,
        writer: Writer,
        confirmations: Confirmations,
        clock: Callable[[], datetime],
        chance: Callable[[], float],
        at_once: int = AT_ONCE,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._confirmations = confirmations
        self._clock = clock
        self._chance = chance
        self._at_once = at_once
        self._poll = poll_seconds
        self._kept = GroupCommit(writer, webhooks.keep_tries, name="webhook-tries")
        self._running: set[asyncio.Task[None]] = set()
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="webhook-worker")

    async def stop(self) -> None:
        """What is cut off comes again after its lease."""
        for task in (self._task, *self._running):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        self._task = None
        await self._kept.stop()

    def wake(self) -> None:
        self._wanted.set()

    async def work(self) -> int:
        """See to everything whose turn it is; how many tries that were. Raises StorageError."""
        total = 0
        while taken := await self._take(self._at_once):
            await asyncio.gather(*(self._see_to(delivery) for delivery in taken))
            total += len(taken)
        return total

    async def _run(self) -> None:
        enough = 1  # free places that are worth a transaction: several, while more wait than fit
        while True:
            self._wanted.clear()
            room = self._at_once - len(self._running)
            try:
                if room >= enough:
                    taken = await self._take(room)
                    enough = max(1, self._at_once // 2) if len(taken) == room else 1
                    for delivery in taken:
                        self._begin(delivery)
            except _TROUBLE as error:
                log.warning("callbacks could not be taken", error=type(error).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll):
                    await self._wanted.wait()

    def _begin(self, delivery: Delivery) -> None:
        task = asyncio.create_task(self._see_to(delivery), name=f"webhook-{delivery.id}")
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wanted.set()  # there is room for another

    async def _take(self, limit: int) -> list[Delivery]:
        now = self._clock()
        if limit <= 0 or not await self._reader.run(lambda c: webhooks.has_due(c, now)):
            return []
        return await self._writer.run(
            lambda c: webhooks.take_due(c, now=now, lease=LEASE, limit=limit)
        )

    # --- one of them ---------------------------------------------------------------------------

    async def _see_to(self, delivery: Delivery) -> None:
        came = await self._try(delivery)
        try:
            await self._kept.put(self._tried(delivery, came))
        except _TROUBLE as error:
            # It comes again after the lease, which applies nothing twice.
            log.warning("a try at a callback could not be kept", error=type(error).__name__)

    async def _try(self, delivery: Delivery) -> _Came:
        if delivery.spent > MAX_TRIES:
            return _LOST
        if delivery.success is None:
            return _UNREADABLE
        try:
            if not await self._reader.run(lambda c: _fits(c, delivery)):
                return _MISMATCH
            confirmed = await self._confirmations.confirm(
                attempt=_attempt(delivery),
                link=delivery.link_id,
                failure=None if delivery.success else failure_of(delivery.code),
            )
        except _TROUBLE as error:
            return _Came(_named(error), "The backend was busy, or its database away.")
        except Exception as error:
            # A bug: the other callbacks must not suffer from it, and this one is not lost.
            log.exception("a callback could not be worked on", delivery=str(delivery.id))
            return _Came(_named(error), "Something went wrong on our side.")
        return _judged(delivery, confirmed)

    def _tried(self, delivery: Delivery, came: _Came) -> Tried:
        now = self._clock()
        delay = retry_after(delivery.spent, self._chance()) if came.again else None
        state = DeliveryState.WAITING if delay is not None else DeliveryState.DEAD
        if came.good:
            state, delay = DeliveryState.DONE, None
        if state is DeliveryState.DEAD:
            log.warning(
                "a callback waits for a person", delivery=str(delivery.id), outcome=came.outcome
            )
        elif state is DeliveryState.WAITING:
            log.info("a callback is tried again", delivery=str(delivery.id), outcome=came.outcome)
        return Tried(
            attempt=Try(
                delivery=delivery.id, n=delivery.tries, at=now,
                outcome=came.outcome, message=came.message,
            ),
            state=state,
            next_try_at=None if delay is None else now + delay,
            enrollment=came.enrollment,
        )  # fmt: skip


def _judged(delivery: Delivery, confirmed: Confirmed) -> _Came:
    """Whether that was all. The provider's status may come later than its callback."""
    answer = confirmed.answer
    good = answer not in {Answer.UNREACHABLE, Answer.UNKNOWN}
    message = confirmed.message
    if answer is Answer.NOT_PAID and delivery.success:
        good, message = False, _UNPAID
    again = confirmed.again or answer is not Answer.UNREACHABLE
    return _Came(answer.value, message, good=good, again=again, enrollment=confirmed.enrollment)


def _fits(connection: Connection, delivery: Delivery) -> bool:
    """Whether link and attempt, as far as we know both, belong together."""
    attempt, link_id = _attempt(delivery), delivery.link_id
    if attempt is None or link_id is None:
        return True
    named = payments.read_link(connection, attempt)
    found = payments.read_links_by_link_id(connection, delivery.provider, [link_id])
    if named is not None and named.link_id is not None:
        return named.link_id == link_id
    return named is None or all(link.attempt == attempt for link in found)


def _attempt(delivery: Delivery) -> UUID | None:
    """Our own id of the payment; None where it names none of ours."""
    try:
        return UUID(delivery.external_id or "")
    except ValueError:
        return None


def _named(error: Exception) -> str:
    return type(error).__name__[:_MAX_OUTCOME]
