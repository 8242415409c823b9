"""Callbacks that were refused: counted, kept by the hour and address, and told to staff.

A flood costs memory and disk for a bounded number of addresses only, and one write a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.backend.gateway.answers import plain_word
from core.backend.storage import webhooks
from core.backend.storage.errors import StorageError
from core.backend.storage.webhook_records import Alert, Refusals
from core.backend.storage.webhooks import MAX_ADDRESSES, OTHERS
from core.backend.storage.writer import Writer
from core.domain.webhooks import AlertKind

log = structlog.get_logger(__name__)

# So many from one address within an hour are no mistake of somebody's settings.
MANY = 20
PAUSE_SECONDS = 1.0
_MAX_ADDRESS = 64

_Key = tuple[datetime, AlertKind, str]


class SecurityAlerts:
    """`note` from the event loop at any time; `flush` writes what was noted, `start` keeps doing
    so."""

    def __init__(
        self,
        *,
        writer: Writer,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._new_id = new_id
        self._pause = pause_seconds
        self._noted: dict[_Key, Refusals] = {}
        self._wanted = asyncio.Event()
        self._ending = asyncio.Event()
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def note(self, kind: AlertKind, address: str) -> None:
        """A callback from this address was refused."""
        now = self._clock()
        hour = now.replace(minute=0, second=0, microsecond=0)
        address = plain_word(address, _MAX_ADDRESS)
        self._count(
            Refusals(
                kind=kind, address=address, hour=hour, first_at=now, last_at=now, count=1
            )
        )  # fmt: skip
        self._wanted.set()

    def _count(self, more: Refusals) -> None:
        key = (more.hour, more.kind, more.address)
        if key not in self._noted and len(self._noted) >= MAX_ADDRESSES:
            more = replace(more, address=OTHERS)
            key = (more.hour, more.kind, OTHERS)
        known = self._noted.get(key)
        if known is not None:
            more = replace(known, last_at=more.last_at, count=known.count + more.count)
        self._noted[key] = more

    async def flush(self) -> None:
        """Write what was noted; afterwards it is on the disk, whoever wrote it.

        Raises StorageError, SQLAlchemyError: it stays noted.
        """
        async with self._writing:
            refused = list(self._noted.values())
            self._noted = {}
            if refused:
                await self._write(refused)

    async def _write(self, refused: list[Refusals]) -> None:
        try:
            kept = await self._writer.run(lambda c: webhooks.add_refusals(c, refused, self._new_id))
        except Exception:
            for one in refused:
                self._count(one)
            raise
        _tell(refused, kept)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="security-alerts")

    async def stop(self) -> None:
        """Write what is left. A write is never cut off: what it counts would be counted again."""
        self._ending.set()
        self._wanted.set()
        if self._task is not None:
            await asyncio.wait([self._task])
            self._task = None
        await self._flush()

    async def _run(self) -> None:
        while not self._ending.is_set():
            await self._wanted.wait()
            self._wanted.clear()
            await self._flush()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause):
                    await self._ending.wait()

    async def _flush(self) -> None:
        try:
            await self.flush()
        except (SQLAlchemyError, StorageError) as error:
            self._wanted.set()
            log.warning("security alerts could not be kept", error=type(error).__name__)


def _tell(refused: list[Refusals], kept: list[Alert]) -> None:
    """To whoever watches the log; the addresses are for staff only."""
    log.warning(
        "callbacks of the card provider refused",
        count=sum(one.count for one in refused), addresses=len(refused),
    )  # fmt: skip
    for one, alert in zip(refused, kept, strict=True):
        if alert.count - one.count < MANY <= alert.count:
            log.warning("many callbacks refused", alert=str(alert.id))
