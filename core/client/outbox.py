"""`Outbox`: the durable queue of decisions, for asynchronous callers.

One worker thread owns the one connection; nothing here blocks the loop.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from core.client.errors import OutboxError
from core.client.outbox_file import (
    WAITING_STATES,
    Draft,
    OutboxFile,
    OutboxItem,
    OutboxState,
    Sign,
    SignedBytes,
)
from core.client.sealing import Sealer
from core.protocol.messages import DecisionAnswer

__all__ = ["WAITING_STATES", "Draft", "Outbox", "OutboxItem", "OutboxState", "SignedBytes"]

_T = TypeVar("_T")


class Outbox:
    """Open it with `await Outbox.open(path, sealer)`. Every method raises OutboxError."""

    def __init__(self, worker: ThreadPoolExecutor, file: OutboxFile) -> None:
        self._worker = worker
        self._file = file

    @classmethod
    async def open(cls, path: Path, sealer: Sealer) -> Outbox:
        """Open or make the queue file; what an earlier run left half sent is queued again."""
        worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="outbox")
        try:
            file = await _run(worker, partial(OutboxFile, path, sealer))
            outbox = cls(worker, file)
            await outbox.sweep()
        except BaseException:
            worker.shutdown(wait=False)
            raise
        return outbox

    async def close(self) -> None:
        await _run(self._worker, self._file.close)
        self._worker.shutdown(wait=False)

    async def add(self, draft: Draft, sign: Sign) -> OutboxItem:
        """Store a decision; `sign(n)` is called in the worker with the number it gets."""
        return await _run(self._worker, partial(self._file.add, draft, sign))

    async def learn_next_n(self, device: UUID, n: int) -> None:
        """Take over `Device.next_n` from the backend, in case this file is younger than the key."""
        await _run(self._worker, partial(self._file.learn_next_n, device, n))

    async def next_batch(self, *, officer: UUID, device: UUID, now: datetime) -> list[OutboxItem]:
        """Due decisions, now `sending`; at most 50, at most one per enrollment."""
        call = partial(self._file.next_batch, officer=officer, device=device, now=now)
        return await _run(self._worker, call)

    async def mark_answered(self, answer: DecisionAnswer, state: OutboxState) -> OutboxItem:
        return await _run(self._worker, partial(self._file.answer, answer, state))

    async def mark_postponed(
        self, item: UUID, *, until: datetime, code: str, message: str
    ) -> OutboxItem | None:
        """Back to the queue; None if it was not being sent (any more)."""
        call = partial(self._file.postpone, item, until=until, code=code, message=message)
        return await _run(self._worker, call)

    async def mark_needs_person(self, item: UUID, *, code: str, message: str) -> OutboxItem:
        call = partial(self._file.give_to_person, item, code=code, message=message)
        return await _run(self._worker, call)

    async def retry(self, item: UUID, now: datetime) -> OutboxItem:
        """A person wants a decision that needed one to be tried again."""
        return await _run(self._worker, partial(self._file.retry, item, now))

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
        """Not accepted: waiting, in conflict, refused, or in need of a person."""
        return await _run(self._worker, partial(self._file.open_for, officer))

    async def next_due(self, officer: UUID, device: UUID) -> datetime | None:
        return await _run(self._worker, partial(self._file.next_due, officer, device))


async def _run(worker: ThreadPoolExecutor, call: Callable[[], _T]) -> _T:
    try:
        return await asyncio.get_running_loop().run_in_executor(worker, call)
    except (sqlite3.Error, OSError) as error:
        raise OutboxError("The outbox on this computer cannot be used.") from error
