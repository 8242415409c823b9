"""`Writer`: the one thread that writes. It writes what waits as one batch, then answers."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from core.backend.storage.batch import Decide, run_batch
from core.backend.storage.command import Command, Context, Outcome
from core.backend.storage.engine import write_transaction
from core.backend.storage.errors import (
    DatabaseAwayError,
    UnknownOutcomeError,
    WriterBusyError,
    WriterStoppedError,
)
from core.backend.storage.replies import LoopFuture, Reply, Result, answer_all

_T = TypeVar("_T")

MAX_BATCH = 64
MAX_WAITING = 4096
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Waiting:
    command: Command
    reply: Reply


@dataclass(frozen=True, slots=True)
class _Job(Generic[_T]):
    work: Callable[[Connection], _T]
    future: Future[_T]

    def run(self, engine: Engine) -> None:
        try:
            with write_transaction(engine) as connection:
                result = self.work(connection)
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class Writer:
    """Commands by `submit`; other small writes (sessions, codes, checkpoints) by `run`.

    `on_commit(size)` is called in the writer's thread after each commit that grew the ledger.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        decide: Decide,
        now: Callable[[], datetime],
        new_id: Callable[[], UUID],
        max_batch: int = MAX_BATCH,
    ) -> None:
        self.on_commit: Callable[[int], None] | None = None
        self._engine = engine
        self._decide = decide
        self._now = now
        self._new_id = new_id
        self._max_batch = max_batch
        self._queue: queue.SimpleQueue[_Waiting | _Job[object] | None] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    async def submit(self, command: Command) -> Outcome:
        """The outcome, once it is on the disk.

        Raises UnknownOutcomeError (ask again with the same key), DatabaseAwayError,
        WriterBusyError, WriterStoppedError, or whatever the database said of this one command.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        self._put(_Waiting(command, LoopFuture(loop, future)))
        return await future

    def submit_now(self, command: Command) -> Outcome:
        """The same for programs without an event loop."""
        return self.enqueue(command).result()

    def enqueue(self, command: Command) -> Future[Outcome]:
        """Take a place in the queue at once; commands are decided in this order."""
        future: Future[Outcome] = Future()
        self._put(_Waiting(command, future))
        return future

    async def run(self, work: Callable[[Connection], _T]) -> _T:
        """Let `work` write in a transaction of its own, in the writer's thread."""
        return await asyncio.wrap_future(self._enqueue_job(work))

    def run_now(self, work: Callable[[Connection], _T]) -> _T:
        """The same for programs without an event loop."""
        return self._enqueue_job(work).result()

    @property
    def waiting(self) -> int:
        """How many commands and jobs wait for their turn."""
        return self._queue.qsize()

    def close(self) -> None:
        """Write what waits, then end; no more is taken."""
        with self._guard:
            if not self._stopped:
                self._stopped = True
                self._queue.put(None)
        self._thread.join()

    def _enqueue_job(self, work: Callable[[Connection], _T]) -> Future[_T]:
        future: Future[_T] = Future()
        self._put(_Job(work, future))  # type: ignore[arg-type]  # the queue forgets the result's type
        return future

    def _put(self, item: _Waiting | _Job[object]) -> None:
        with self._guard:  # nothing may come behind the end
            if self._stopped:
                raise WriterStoppedError("The backend is stopping.")
            if self.waiting >= MAX_WAITING:
                raise WriterBusyError("The backend is busy. Please try again.")
            self._queue.put(item)

    # --- the writer's thread -------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            items = self._take()
            for _, group in groupby(items, key=type):
                self._run_group(list(group))
            if items[-1] is None:
                return

    def _take(self) -> list[_Waiting | _Job[object] | None]:
        """Wait for one, then take what waits behind it, too."""
        items = [self._queue.get()]
        while len(items) < self._max_batch and items[-1] is not None:
            try:
                items.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return items

    def _run_group(self, items: list[_Waiting | _Job[object] | None]) -> None:
        self._run_commands([item for item in items if isinstance(item, _Waiting)])
        for item in items:
            if isinstance(item, _Job) and item.future.set_running_or_notify_cancel():
                item.run(self._engine)

    def _run_commands(self, waiting: list[_Waiting]) -> None:
        waiting = [item for item in waiting if item.reply.set_running_or_notify_cancel()]
        if waiting:
            results = self._results([item.command for item in waiting])
            answer_all(zip((item.reply for item in waiting), results, strict=True))

    def _results(self, commands: list[Command]) -> Sequence[Result]:
        try:
            return self._write_or_again(commands)
        except (UnknownOutcomeError, DatabaseAwayError) as error:
            return [error] * len(commands)
        except Exception as error:  # noqa: BLE001 - one bad command must not spoil the others
            if len(commands) == 1:
                return [error]
            _log.info("a batch of %d was rolled back: %s", len(commands), type(error).__name__)
        # Each in a transaction of its own.
        return [self._results([command])[0] for command in commands]

    def _write_or_again(self, commands: Sequence[Command]) -> Sequence[Outcome]:
        """A connection that was cut before the commit took nothing with it: once more."""
        try:
            return self._write(commands)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            _log.info("the connection to the database was cut: %s", type(error.orig).__name__)
        return self._write(commands)

    def _write(self, commands: Sequence[Command]) -> list[Outcome]:
        context = Context(now=self._now(), new_id=self._new_id)
        with write_transaction(self._engine) as connection:
            outcomes, size = run_batch(connection, commands, decide=self._decide, context=context)
        if self.on_commit is not None:
            self.on_commit(size)
        return outcomes
