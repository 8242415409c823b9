"""`Queueing`: what an officer does with own decisions: make, retry, discard, dismiss, look at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from console.entered import Entered
from core.client.decider import Decider
from core.client.errors import DecisionError
from core.client.outbox import Notice, OutboxItem, OutboxState, OutboxSummary
from core.domain.decisions import ReasonCode, Verdict
from core.protocol.messages import EnrollmentRow
from core.protocol.signing import PayloadError, read_decision

HISTORY_ITEMS = 200
_OPEN = frozenset({OutboxState.QUEUED, OutboxState.SENDING, OutboxState.NEEDS_PERSON})


class Queueing:
    """Nothing here sends: `on_change` gets each item that changed, `wake` is called when one is
    due.

    Every method raises ClientError, in plain words.
    """

    def __init__(
        self,
        entered: Entered,
        *,
        as_of: Callable[[], int],
        is_live: Callable[[], bool],
        on_change: Callable[[OutboxItem], None],
        wake: Callable[[], None],
        now: Callable[[], datetime],
        new_id: Callable[[], UUID],
    ) -> None:
        """`as_of` is the ledger index that this console had seen last."""
        self._outbox = entered.outbox
        self._officer = entered.officer.id
        self._lasts = entered.durability.remembered
        self._is_live = is_live
        self._on_change = on_change
        self._wake = wake
        self._now = now
        self._decider = Decider(
            device=entered.device, outbox=entered.outbox, as_of=as_of, now=now, new_id=new_id
        )

    async def decide(
        self,
        row: EnrollmentRow,
        verdict: Verdict,
        *,
        reason: ReasonCode | None = None,
        note: str | None = None,
        amount_received: int | None = None,
    ) -> OutboxItem:
        """Sign and store a decision about `row` as shown; `amount_received` is cents."""
        if not self._lasts and not self._is_live():
            raise DecisionError(
                "There is no connection, and this console keeps no queue without a passphrase:"
                " decide when it is live again."
            )
        item = await self._decider.decide(
            row, verdict, reason=reason, note=note, amount_received=amount_received
        )
        self._on_change(item)
        self._wake()
        return item

    async def decide_again(self, item: OutboxItem, row: EnrollmentRow) -> OutboxItem:
        """The same verdict, reason and words about `row` as it is now; `item` leaves the list."""
        try:
            before = read_decision(item.payload)
        except PayloadError as error:
            raise DecisionError(
                "The earlier decision cannot be read: decide in the list."
            ) from error
        again = await self.decide(
            row,
            before.verdict,
            reason=before.reason_code,
            note=item.note.text if item.note is not None else None,
            amount_received=before.amount_received,
        )
        await self.dismiss(item.id)
        return again

    async def retry(self, item: UUID) -> None:
        """Try again now."""
        self._on_change(await self._outbox.retry(item, self._now()))
        self._wake()

    async def discard(self, item: UUID) -> None:
        """Take a waiting decision back; the signed withdrawal goes to the ledger when it can."""
        for changed in await self._decider.withdraw(await self._outbox.get(item)):
            self._on_change(changed)
        self._wake()

    async def dismiss(self, item: UUID) -> None:
        """An officer has seen how it ended."""
        self._on_change(await self._outbox.dismiss(item))

    async def items(self) -> list[OutboxItem]:
        """What is open, then what is done, newest first."""
        open_items = await self._outbox.open_for(self._officer)
        return open_items + await self._outbox.history_for(self._officer, HISTORY_ITEMS)

    async def summary(self) -> OutboxSummary:
        return await self._outbox.summary(self._officer)

    async def others_waiting(self) -> int:
        """Decisions of other officers on this computer; they go out when these sign in."""
        return await self._outbox.others_waiting(self._officer)

    async def notices(self) -> tuple[Notice, ...]:
        """What was set aside, and where it is kept."""
        return await self._outbox.notices()

    async def dismiss_notice(self, notice: int) -> None:
        """Somebody has read it."""
        await self._outbox.dismiss_notice(notice)

    async def unsettled(self) -> list[OutboxItem]:
        """For a start: what still lies over the rows; forgets what ended long ago."""
        await self._outbox.prune(self._now())
        return [item for item in await self._outbox.open_for(self._officer) if item.state in _OPEN]
