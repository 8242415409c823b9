"""Many small writes that share one commit: what comes while one is being written waits together.

For writes without an entry; commands have the writer's own group commit.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy import Connection

from core.backend.services.errors import BusyError
from core.backend.storage.errors import StorageError
from core.backend.storage.writer import Writer

_T = TypeVar("_T")
_R = TypeVar("_R")

AT_ONCE = 256
MAX_WAITING = 4096


class GroupCommit(Generic[_T, _R]):
    """`store` writes some items in one transaction and gives one result for each, in order."""

    def __init__(
        self,
        writer: Writer,
        store: Callable[[Connection, Sequence[_T]], Sequence[_R]],
        *,
        name: str,
        at_once: int = AT_ONCE,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._writer = writer
        self._store = store
        self._name = name
        self._at_once = at_once
        self._max_waiting = max_waiting
        self._waiting: deque[tuple[_T, asyncio.Future[_R]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def put(self, item: _T) -> _R:
        """The result, once it is on the disk.

        Raises BusyError (nothing is known to be lost), or what the database said of the whole lot.
        """
        if len(self._waiting) >= self._max_waiting:
            raise BusyError("busy", "The backend is busy. Please try again.")
        future: asyncio.Future[_R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None:
            self._task = asyncio.create_task(self._write_all(), name=self._name)
        return await future

    async def stop(self) -> None:
        """Let what waits be written."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                count = min(len(self._waiting), self._at_once)
                await self._write([self._waiting.popleft() for _ in range(count)])
        finally:
            self._task = None

    async def _write(self, some: Sequence[tuple[_T, asyncio.Future[_R]]]) -> None:
        items = [item for item, _ in some]
        try:
            results = await self._writer.run(lambda c: self._store(c, items))
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            for _, future in some:
                if not future.done():  # whoever waited has gone
                    future.set_exception(_told(error))
            return
        for (_, future), result in zip(some, results, strict=True):
            if not future.done():
                future.set_result(result)


def _told(error: Exception) -> Exception:
    return BusyError("busy", str(error)) if isinstance(error, StorageError) else error
