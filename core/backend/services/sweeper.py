"""`CardSweeper`: asks about every link that is not final, and reads the provider's own history.

So that "paid but no access" cannot stay unseen, whatever callbacks were lost: each link is looked
at after 1 minute, 5 minutes, 30 minutes, 2 hours and then daily, superseded ones too. Any number of
nodes may sweep at once: a link is taken for a while, and confirming it twice applies once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from core.backend.gateway.provider import CardProvider, LinkStatus, ProviderError
from core.backend.services.confirmations import Answer, Confirmations
from core.backend.services.errors import BusyError
from core.backend.services.payment_commands import UnknownMoneyCommand
from core.backend.services.submitting import submit
from core.backend.services.words import LOCAL
from core.backend.storage import payments
from core.backend.storage.errors import StorageError
from core.backend.storage.payment_records import CardLink
from core.backend.storage.reader import Reader
from core.backend.storage.writer import Writer
from core.domain.card_money import LinkState
from core.domain.money import MAX_CENTS

_log = logging.getLogger(__name__)
_TROUBLE = (SQLAlchemyError, StorageError, BusyError, OSError)

LEASE = timedelta(minutes=2)
TAKEN_AT_ONCE = 64
ASKED_AT_ONCE = 8
POLL_SECONDS = 10.0
COMPARE_EVERY = timedelta(days=1)
COMPARE_AGAIN = timedelta(minutes=10)  # where it failed
LOOKED_UP_AT_ONCE = 500
# The first comparison after a start looks further back: nobody knows how long we were gone.
FIRST_DAYS, DAYS = 31, 3
MAX_LINK_ID = 100


class CardSweeper:
    """`start` and `stop` on the event loop; `sweep` and `compare` do one round each."""

    def __init__(
        self,
        *,
        reader: Reader,
        writer: Writer,
        provider: CardProvider,
        confirmations: Confirmations,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._provider = provider
        self._confirmations = confirmations
        self._clock = clock
        self._new_id = new_id
        self._poll_seconds = poll_seconds
        self._compared = False
        self._compare_due: datetime | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="card-sweeper")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def _run(self) -> None:
        while True:
            try:
                await self.sweep()
                await self._compare_daily()
            except ProviderError as error:
                _log.info("the provider gave no history: %s", error.failure.value)
            except _TROUBLE as error:
                # What was taken comes again after the lease.
                _log.warning("card payments could not be swept: %s", type(error).__name__)
            await asyncio.sleep(self._poll_seconds)

    # --- links ---------------------------------------------------------------------------------

    async def sweep(self) -> int:
        """Ask about every link whose turn it is; how many were asked about.

        Ends early where the provider cannot be reached. Raises StorageError, BusyError.
        """
        asked = 0
        while due := await self._take():
            for begin in range(0, len(due), ASKED_AT_ONCE):
                some = due[begin : begin + ASKED_AT_ONCE]
                asked += len(some)
                if not await self._ask(some):
                    return asked
        return asked

    async def _take(self) -> list[CardLink]:
        now, name = self._clock(), self._provider.name
        return await self._writer.run(
            lambda c: payments.take_due(c, name, now=now, lease=LEASE, limit=TAKEN_AT_ONCE)
        )

    async def _ask(self, links: Sequence[CardLink]) -> bool:
        """Whether the provider answers at all, if only for one of them."""
        results = await asyncio.gather(
            *(self._confirmations.confirm(attempt=link.attempt, by_schedule=True) for link in links)
        )
        return not all(r.answer is Answer.UNREACHABLE and r.again for r in results)

    # --- history -------------------------------------------------------------------------------

    async def _compare_daily(self) -> None:
        now = self._clock()
        if self._compare_due is not None and now < self._compare_due:
            return
        self._compare_due = now + COMPARE_AGAIN
        await self.compare()
        self._compare_due = now + COMPARE_EVERY

    async def compare(self) -> int:
        """Hold the provider's history against our links; how many payments were news to us.

        Raises ProviderError, StorageError, BusyError.
        """
        today = self._clock().astimezone(LOCAL).date()
        days = DAYS if self._compared else FIRST_DAYS
        history = await self._provider.history(today - timedelta(days=days), today)
        paid = {s.link_id: s for s in history if s.paid and 0 < len(s.link_id) <= MAX_LINK_ID}
        news = 0
        for some in batched(paid.values(), LOOKED_UP_AT_ONCE):
            known = await self._known(some)
            news += sum([await self._one(status, known) for status in some])
        self._compared = True
        return news

    async def _known(self, paid: Sequence[LinkStatus]) -> _Known:
        return await self._reader.run(lambda c: _read_known(c, self._provider.name, paid))

    async def _one(self, status: LinkStatus, known: _Known) -> int:
        """One payment of the history: 1 where it was news."""
        link = known.by_link_id.get(status.link_id)
        if link is None and status.link_id in known.late:
            return 0
        if link is None:
            link = known.by_external_id.get(status.external_id or "")
            if link is None or link.link_id is not None:
                return await self._unknown(status, link)
        if link.state is LinkState.PAID:
            return 0
        result = await self._confirmations.confirm(attempt=link.attempt)
        return int(result.answer in {Answer.APPROVED, Answer.LATE_MONEY})

    async def _unknown(self, status: LinkStatus, link: CardLink | None) -> int:
        """Paid on a link that we do not know, perhaps in the name of a transaction that we do."""
        cents = status.amount_cents
        command = UnknownMoneyCommand(
            money=self._new_id(),
            provider=self._provider.name,
            link_id=status.link_id,
            cents=cents if cents is not None and 0 <= cents <= MAX_CENTS else None,
            attempt=link.attempt if link else None,
            enrollment=link.enrollment if link else None,
        )
        outcome = await submit(self._writer, command)
        if outcome.accepted and not outcome.repeated:
            _log.warning("the provider's history has a payment that we do not know")
            return 1
        return 0


class _Known:
    """What we have of the payments of a history."""

    def __init__(
        self, links: Sequence[CardLink], named: Sequence[CardLink], late: set[str]
    ) -> None:
        self.by_link_id = {link.link_id: link for link in links}
        self.by_external_id = {link.external_id: link for link in named}
        self.late = late


def batched(things: Iterable[LinkStatus], size: int) -> Iterator[list[LinkStatus]]:
    """In lists of at most `size`."""
    rest = list(things)
    for begin in range(0, len(rest), size):
        yield rest[begin : begin + size]


def _read_known(connection: Connection, provider: str, paid: Sequence[LinkStatus]) -> _Known:
    ids = [status.link_id for status in paid]
    return _Known(
        payments.read_links_by_link_id(connection, provider, ids),
        payments.read_links(connection, attempts=_attempts(paid)),
        payments.read_known_late(connection, provider, ids),
    )


def _attempts(statuses: Iterable[LinkStatus]) -> list[UUID]:
    """Our own ids among those that the provider names."""
    found = []
    for status in statuses:
        try:
            found.append(UUID(status.external_id or ""))
        except ValueError:
            continue  # somebody else's transaction
    return found
