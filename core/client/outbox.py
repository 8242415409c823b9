"""`Outbox`: the durable queue of decisions, for asynchronous callers.

One worker thread owns the one connection; nothing here blocks the loop.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from core.client.disk_room import FreeBytes, free_bytes, has_no_room
from core.client.errors import OutboxError
from core.client.outbox_file import BATCH, KEPT_NEWEST, OutboxFile
from core.client.outbox_items import (
    ATTENTION_STATES,
    FINAL_STATES,
    WAITING_STATES,
    Draft,
    ItemKind,
    Notice,
    OutboxItem,
    OutboxState,
    OutboxSummary,
    Sign,
    SignedBytes,
    SignedWithdrawal,
    SignWithdrawal,
)
from core.client.outbox_others import give_up, take_over
from core.client.sealing import Sealer
from core.protocol.messages import DecisionAnswer

__all__ = [
    "ATTENTION_STATES",
    "FINAL_STATES",
    "WAITING_STATES",
    "Draft",
    "ItemKind",
    "Notice",
    "Outbox",
    "OutboxItem",
    "OutboxState",
    "OutboxSummary",
    "SignedBytes",
    "SignedWithdrawal",
]

_T = TypeVar("_T")
_NO_ROOM = (
    "This computer has no room left on its disk: nothing was stored. Make room, then try again."
)
_UNUSABLE = "The outbox on this computer cannot be used."


class _Worker(ThreadPoolExecutor):
    """The one thread of an outbox. `folder` is where its file lies, None in memory."""

    def __init__(self, folder: Path | None, free: FreeBytes) -> None:
        super().__init__(max_workers=1, thread_name_prefix="outbox")
        self.folder = folder
        self.free = free


class Outbox:
    """Open it with `await Outbox.open(path, sealer)`. Every method raises OutboxError."""

    def __init__(self, worker: _Worker, file: OutboxFile) -> None:
        self._worker = worker
        self._file = file

    @classmethod
    async def open(
        cls,
        path: Path | None,
        sealer: Sealer,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        free: FreeBytes = free_bytes,
    ) -> Outbox:
        """Open or make the queue file; what an earlier run left half sent is queued again.

        Without a path it is kept in memory only. A file that is damaged or sealed with another
        key is set aside, which `notices` tells. `free` says how much room a disk has.
        """
        worker = _Worker(None if path is None else path.parent, free)
        opened: list[OutboxFile] = []

        def start() -> None:
            opened.append(OutboxFile(path, sealer, now))
            opened[0].sweep()

        try:
            await _run(worker, start)
        except BaseException:
            # Also where nobody waits for it any more: its lock must not stay.
            worker.submit(_close, opened)
            worker.shutdown(wait=False)
            raise
        return cls(worker, opened[0])

    async def close(self) -> None:
        await _run(self._worker, self._file.close)
        self._worker.shutdown(wait=False)

    async def add(self, draft: Draft, sign: Sign) -> OutboxItem:
        """Store a decision; `sign(n)` is called in the worker with the number it gets."""
        return await _run(self._worker, partial(self._file.add, draft, sign))

    async def learn_next_n(self, device: UUID, n: int) -> None:
        """Take over `Device.next_n` from the backend, in case this file is younger than the key."""
        await _run(self._worker, partial(self._file.learn_next_n, device, n))

    async def discard(self, item: UUID, sign: SignWithdrawal) -> tuple[OutboxItem, OutboxItem]:
        """Take a waiting decision back: the decision and its withdrawal, which is to be sent.

        `sign(decision)` is called in the worker. Raises DecisionError while the decision is being
        sent, or where it has its answer.
        """
        return await _run(self._worker, partial(self._file.discard, item, sign))

    async def next_batch(
        self, *, officer: UUID, now: datetime, limit: int = BATCH
    ) -> list[OutboxItem]:
        """Due items, now `sending`; at most `limit`, at most one per enrollment."""
        call = partial(self._file.next_batch, officer=officer, now=now, limit=limit)
        return await _run(self._worker, call)

    async def mark_answered(self, answer: DecisionAnswer, state: OutboxState) -> OutboxItem:
        """Store a final answer; one that came before stays."""
        return await _run(self._worker, partial(self._file.answer, answer, state))

    async def mark_answered_many(
        self, answers: Sequence[tuple[DecisionAnswer, OutboxState]]
    ) -> list[OutboxItem]:
        """Store final answers with one commit: the items that changed, in order.

        A withdrawal is followed by the decision that it takes back.
        """
        return await _run(self._worker, partial(self._file.answer_many, answers))

    async def mark_postponed(
        self, item: UUID, *, until: datetime, code: str, message: str
    ) -> OutboxItem | None:
        """Back to the queue; None if it was not being sent (any more)."""
        call = partial(self._file.postpone, item, until=until, code=code, message=message)
        return await _run(self._worker, call)

    async def mark_postponed_many(
        self,
        items: Sequence[UUID],
        *,
        until: Callable[[OutboxItem], datetime],
        code: str,
        message: str,
    ) -> list[OutboxItem]:
        """The same with one commit: those that were being sent. `until` is called in the worker."""
        call = partial(self._file.postpone_many, items, until=until, code=code, message=message)
        return await _run(self._worker, call)

    async def mark_needs_person(self, item: UUID, *, code: str, message: str) -> OutboxItem:
        call = partial(self._file.give_to_person, item, code=code, message=message)
        return await _run(self._worker, call)

    async def retry(self, item: UUID, now: datetime) -> OutboxItem:
        """A person wants it tried now: what needed one, or what waits for a later time."""
        return await _run(self._worker, partial(self._file.retry, item, now))

    async def dismiss(self, item: UUID) -> OutboxItem:
        """Its officer has seen how it ended: off the list. Raises DecisionError before the end."""
        return await _run(self._worker, partial(self._file.dismiss, item))

    async def mark_confirmed(self, items: Sequence[UUID]) -> None:
        """This console checked that the ledger holds these as they were signed."""
        await _run(self._worker, partial(self._file.mark_confirmed, items))

    async def prune(self, now: datetime, *, keep: int = KEPT_NEWEST) -> int:
        """Forget what ended over 30 days ago and needs nobody, but the `keep` newest; how many."""
        return await _run(self._worker, partial(self._file.prune, now, keep=keep))

    async def release(self, officer: UUID, now: datetime) -> None:
        """Whatever waits for a later time is due now."""
        await _run(self._worker, partial(self._file.release, officer, now))

    async def sweep(self) -> int:
        return await _run(self._worker, self._file.sweep)

    async def get(self, item: UUID) -> OutboxItem:
        return await _run(self._worker, partial(self._file.get, item))

    async def waiting_for(self, officer: UUID) -> list[OutboxItem]:
        """Queued or being sent, in the order they were decided."""
        return await _run(self._worker, partial(self._file.waiting_for, officer))

    async def open_for(self, officer: UUID) -> list[OutboxItem]:
        """What waits, and what somebody should look at: in conflict, refused, needs a person.

        A withdrawn decision is among them until its withdrawal has its answer.
        """
        return await _run(self._worker, partial(self._file.open_for, officer))

    async def history_for(self, officer: UUID, limit: int) -> list[OutboxItem]:
        """Accepted, withdrawn for good, or dismissed: the newest first."""
        return await _run(self._worker, partial(self._file.history_for, officer, limit))

    async def unconfirmed(self, officer: UUID, limit: int) -> list[OutboxItem]:
        """Accepted with an index, and not yet held against the ledger: the oldest first."""
        return await _run(self._worker, partial(self._file.unconfirmed, officer, limit))

    async def others_waiting(self, officer: UUID) -> int:
        """How many decisions of other officers wait on this computer."""
        return await _run(self._worker, partial(self._file.others_waiting, officer))

    async def unanswered(self) -> int:
        """How many decisions of anybody have no answer yet: not sent, or a person must see them."""
        return await _run(self._worker, self._file.unanswered)

    async def take_over(self, path: Path, sealer: Sealer, at: datetime) -> bool:
        """Bring everything of another queue file into this one, and set that file aside.

        False, and nothing is done, where another console has it open or its key is another one.
        """
        return await _run(self._worker, partial(take_over, self._file, path, sealer, at))

    async def give_up(self, path: Path, at: datetime) -> bool:
        """Set a queue file aside whose key is gone, and tell of it in a notice.

        False where another console has it open.
        """
        return await _run(self._worker, partial(give_up, self._file, path, at))

    async def summary(self, officer: UUID) -> OutboxSummary:
        return await _run(self._worker, partial(self._file.summary, officer))

    async def notices(self) -> tuple[Notice, ...]:
        """What was set aside, oldest first."""
        return await _run(self._worker, self._file.notices)

    async def dismiss_notice(self, notice: int) -> None:
        """Somebody has read it; what it tells of stays where it is."""
        await _run(self._worker, partial(self._file.dismiss_notice, notice))

    async def next_due(self, officer: UUID) -> datetime | None:
        return await _run(self._worker, partial(self._file.next_due, officer))


def _close(files: Sequence[OutboxFile]) -> None:
    for file in files:
        file.close()


async def _run(worker: _Worker, call: Callable[[], _T]) -> _T:
    try:
        return await asyncio.get_running_loop().run_in_executor(worker, call)
    except (sqlite3.Error, OSError) as error:
        no_room = has_no_room(error, worker.folder, worker.free)
        raise OutboxError(_NO_ROOM if no_room else _UNUSABLE) from error
