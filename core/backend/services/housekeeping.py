"""What is kept for a time only is forgotten here: answers under idempotency keys, callbacks that
are done with, and security alerts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from core.backend.storage import webhooks
from core.backend.storage.errors import StorageError
from core.backend.storage.forgetting import forget_answers
from core.backend.storage.writer import Writer

_log = logging.getLogger(__name__)

# More than a decision may be old (`deciding.MAX_AGE`): one whose answer is forgotten is too old.
KEEP_ANSWERS = timedelta(days=400)
# The ledger has what came of them; dead letters stay until somebody has seen to them.
KEEP_CALLBACKS = timedelta(days=400)
KEEP_ALERTS = timedelta(days=90)
PAUSE_SECONDS = 6 * 3600.0
# In one transaction, so that nobody waits long for the writer.
AT_ONCE = 500


class Housekeeping:
    """`start` and `stop` on the event loop. Nodes do not disturb each other: they take turns at the
    ledger's head, and what one forgot the other does not find."""

    def __init__(
        self,
        *,
        writer: Writer,
        clock: Callable[[], datetime],
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._pause = pause_seconds
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="housekeeping")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def tidy(self) -> int:
        """Forget what is older than it must be kept; how many rows that were."""
        now = self._clock()
        total = await self._writer.run(lambda c: webhooks.forget_alerts(c, now - KEEP_ALERTS))
        while gone := await self._writer.run(lambda c: _forget(c, now)):
            total += gone
        return total

    async def _run(self) -> None:
        while True:
            try:
                gone = await self.tidy()
            except (SQLAlchemyError, StorageError) as error:
                # The next round finds the same rows.
                _log.info("housekeeping was put off: %s", type(error).__name__)
            else:
                if gone:
                    _log.info("%d rows were old enough to be forgotten", gone)
            await asyncio.sleep(self._pause)


def _forget(connection: Connection, now: datetime) -> int:
    answers = forget_answers(connection, now - KEEP_ANSWERS, AT_ONCE)
    return answers + webhooks.forget_deliveries(connection, now - KEEP_CALLBACKS, AT_ONCE)
