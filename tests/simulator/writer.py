"""The product's writer without its thread: the same batches, in their place, with deaths."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from core.backend.storage.command import Command, Context, Outcome
from core.backend.storage.engine import write_transaction
from core.backend.storage.errors import UnknownOutcomeError
from core.backend.storage.writer import MAX_BATCH, Writer
from tests.simulator.build import Build
from tests.simulator.chance import Chance
from tests.simulator.process import Death, DiedError, Process


class Trouble:
    """Chances, per batch, that the database fails in a way that the product has to bear."""

    def __init__(self) -> None:
        self.rolled_back = 0.0
        self.answer_lost = 0.0


class InlineWriter(Writer):
    """What waits is written on the loop, a moment after the first came, so that batches form."""

    def __init__(
        self,
        engine: Engine,
        *,
        build: Build,
        now: Callable[[], datetime],
        new_id: Callable[[], UUID],
        process: Process,
        chance: Chance,
        trouble: Trouble,
    ) -> None:
        self.on_commit: Callable[[int], None] | None = None
        self._engine = engine
        self._build = build
        self._now = now
        self._new_id = new_id
        self._max_batch = MAX_BATCH
        self._queue = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._stopped = False
        self._process = process
        self._chance = chance
        self._trouble = trouble
        self._has_turn = False

    def close(self) -> None:
        """There is no thread."""

    def _put(self, item: object) -> None:
        super()._put(item)  # type: ignore[arg-type]  # handed on as it came
        if not self._has_turn:
            self._has_turn = True
            moment = self._chance.uniform(0.0, 0.01)
            asyncio.get_running_loop().call_later(moment, self._turn)

    def _turn(self) -> None:
        self._has_turn = False
        while self._process.alive and self.waiting:
            items = self._take()
            try:
                for _, group in groupby(items, key=type):
                    self._run_group(list(group))
            except DiedError:
                self._process.die()

    def _write(self, commands: Sequence[Command]) -> list[Outcome]:
        death = self._process.take_write_death()
        fails = len(commands) > 1 and self._chance.happens(self._trouble.rolled_back)
        context = Context(now=self._now(), new_id=self._new_id)
        with write_transaction(self._engine) as connection:
            outcomes, size = self._build.run_batch(connection, commands, context)
            if death is Death.BEFORE_COMMIT:
                raise DiedError
            if fails:
                raise OperationalError("INSERT", None, OSError("database or disk is full"))
        if death is Death.AFTER_COMMIT:
            raise DiedError
        if self.on_commit is not None:
            self.on_commit(size)
        if self._chance.happens(self._trouble.answer_lost):
            raise UnknownOutcomeError("It is not known whether this was saved.")
        return outcomes
