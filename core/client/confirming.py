"""`Confirmer`: looks up every accepted decision of this console in the verified ledger.

While the feed is followed entry by entry the witness finds them by itself. What was accepted in a
part that was passed over (a snapshot, a restart) is asked for: the entry and the proof that it is
in the tree. The outbox remembers what was found, so that nothing is looked up twice or forgotten.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from core.client.backoff import Jitter, delay
from core.client.errors import ClientError, OutboxError
from core.client.outbox import Outbox, OutboxItem, OutboxState
from core.client.witness import Witness
from core.client.witness_file import Verified
from core.client.witness_own import Own
from core.protocol.messages import AUDIT_PAGE_ROWS, AuditPage, InclusionProof

# More than a queue ever holds of them; oldest first.
_MOST = 100_000
# Many answers come at once; one round is enough for all of them.
_GATHER_SECONDS = 0.05

_Pair = tuple[UUID, Own]


class EntrySource(Protocol):
    """The two routes this needs; `Api` has them."""

    async def audit_page(
        self, wanted: Mapping[str, str], *, before: int | None = None, limit: int = ...
    ) -> AuditPage: ...

    async def inclusion(self, index: int, size: int) -> InclusionProof: ...


class Confirmer:
    """Run `run` as a task; `add` each item that was accepted, `wake` it when the witness moved.

    What does not hold becomes the witness's alarm.
    """

    def __init__(
        self,
        *,
        source: EntrySource,
        outbox: Outbox,
        witness: Witness,
        officer: UUID,
        jitter: Jitter = random.random,
    ) -> None:
        self._source = source
        self._outbox = outbox
        self._witness = witness
        self._officer = officer
        self._jitter = jitter
        self._open: dict[UUID, Own] = {}
        self._turn = asyncio.Lock()
        self._wake = asyncio.Event()

    @property
    def open(self) -> int:
        """How many accepted items are not yet found in the verified ledger."""
        return len(self._open)

    def add(self, item: OutboxItem) -> None:
        """Anything but an accepted item that is not confirmed yet is left out."""
        index = item.answer.index if item.answer is not None else None
        if item.state is OutboxState.ACCEPTED and index is not None and not item.confirmed:
            self._open[item.id] = Own.of(item.payload, item.signature, index)
            self._wake.set()

    def wake(self) -> None:
        """More of the ledger is verified."""
        self._wake.set()

    async def run(self) -> None:
        """Confirm for ever, from what earlier runs left on. Raises OutboxError at the start."""
        for item in await self._outbox.unconfirmed(self._officer, _MOST):
            self.add(item)
        failures = 0
        while True:
            self._wake.clear()
            done = await self._go_round()
            failures = 0 if done else failures + 1
            await self._wait(None if done else delay(failures - 1, self._jitter))
            await asyncio.sleep(_GATHER_SECONDS)

    async def _go_round(self) -> bool:
        """Whether there is nothing to try again: of the backend, of the disk, of the queue."""
        try:
            await self._witness.catch_up()
            return await self.catch_up() and not self._witness.owes
        except OutboxError:  # a full disk: what was found is found again, and written down then
            return False

    async def confirm(self, item: OutboxItem) -> bool:
        """Look for one at once. False: not known yet, or the witness has sounded an alarm."""
        self.add(item)
        await self.catch_up()
        return item.id not in self._open

    async def catch_up(self) -> bool:
        """One round over all that are open; False if the backend did not answer for some."""
        async with self._turn:
            await self._witness.expect_all(list(self._open.values()))
            verified = self._witness.verified
            if verified is None:
                return True
            covered = [
                (item, own)
                for item, own in self._open.items()
                if own.index < verified.size and not self._witness.is_disputed(own)
            ]
            await self._found([pair for pair in covered if self._witness.has_found(pair[1])])
            rest = [pair for pair in covered if pair[0] in self._open]
            answers = [await self._ask(window, verified) for window in _windows(rest)]
            return all(answers)

    async def _ask(self, window: Sequence[_Pair], verified: Verified) -> bool:
        """Prove each of these; whether the backend answered for all."""
        answered = True
        try:
            leaves = await self._leaves(window)
            for _, own in window:
                if own.index not in leaves:
                    answered = False
                    continue
                proof = await self._source.inclusion(own.index, verified.size)
                await self._witness.prove(own, leaves[own.index], proof.hashes, verified)
        except ClientError:
            answered = False
        await self._found([pair for pair in window if self._witness.has_found(pair[1])])
        return answered

    async def _leaves(self, window: Sequence[_Pair]) -> dict[int, str]:
        first, last = window[0][1].index, window[-1][1].index
        page = await self._source.audit_page({}, before=last + 1, limit=last - first + 1)
        return {entry.index: entry.leaf for entry in page.entries}

    async def _found(self, pairs: Sequence[_Pair]) -> None:
        if pairs:
            await self._outbox.mark_confirmed([item for item, _ in pairs])
            for item, _ in pairs:
                self._open.pop(item, None)

    async def _wait(self, seconds: float | None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()


def _windows(pairs: Sequence[_Pair]) -> Iterator[list[_Pair]]:
    """By index, in groups that lie within one page of entries."""
    window: list[_Pair] = []
    for pair in sorted(pairs, key=lambda pair: pair[1].index):
        if window and pair[1].index - window[0][1].index >= AUDIT_PAGE_ROWS:
            yield window
            window = []
        window.append(pair)
    if window:
        yield window
