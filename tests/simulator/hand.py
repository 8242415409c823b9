"""An officer who does one thing after the other at one console, whatever happens to it between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar
from uuid import UUID

from core.client.errors import OutboxError
from core.client.outbox import WAITING_STATES, OutboxItem, OutboxState
from core.domain.decisions import ReasonCode, Verdict
from core.protocol.messages import EnrollmentRow
from tests.simulator.chance import Chance
from tests.simulator.console import Console
from tests.simulator.world import World

_T = TypeVar("_T")
# A request that nobody answers is given up after 15 s; a console that died is back after 20.
_PATIENCE = 40.0
_LOOK = 1.0
TAKEN_BACK = frozenset({OutboxState.QUEUED, OutboxState.NEEDS_PERSON})


class GaveUpError(Exception):
    """What was waited for did not come: the storm is in the way."""


class Hand:
    """Runs outside of every process, as people do. Everything that has to be waited for raises
    GaveUpError after a while."""

    def __init__(self, world: World, number: int) -> None:
        self._world = world
        self._number = number
        self.link = world.desks[number].link

    @property
    def _console(self) -> Console | None:
        return self._world.consoles[self._number]

    async def ready(self) -> Console:
        """The console, once it runs, can take a decision, and shows something to decide."""
        self._world.start_console(self._number)
        await until(lambda: _usable(self._console) and self._first_row() is not None)
        console = self._console
        if console is None:
            raise GaveUpError
        return console

    def _first_row(self) -> EnrollmentRow | None:
        rows = self._world.desks[self._number].rows.values()
        return next((row for row in rows if row.waiting), None)

    async def decide(self, verdict: Verdict) -> UUID:
        """About the first that waits on this console's list; what is kept."""
        console = await self.ready()
        row = self._first_row()
        if row is None:
            raise GaveUpError
        reason = None if verdict is Verdict.APPROVE else ReasonCode.OTHER
        item = await self._do(console, console.decide(row, verdict, reason, None))
        if item is None:
            raise GaveUpError
        return item.id

    async def decide_anew(self, chance: Chance) -> None:
        """Mostly after something happened to the file, as its notice asks for."""
        try:
            await self.decide(chance.choice([Verdict.APPROVE, Verdict.REJECT]))
        except GaveUpError:
            return

    async def discard(self, decision: UUID) -> None:
        """Again and again while it is being sent."""

        async def taken_back() -> bool:
            item = await self.item(decision)
            console = self._console
            if console is None or item is None:
                return False
            if item.state in TAKEN_BACK:
                await self._do(console, self._world.build.discard(console, item))
                item = await self.item(decision)
            return item is not None and item.state not in TAKEN_BACK | WAITING_STATES

        await until_true(taken_back)

    async def answered(self, decision: UUID) -> None:
        """Wait until it, or its withdrawal, has its answer."""

        async def is_answered() -> bool:
            item = await self.item(decision)
            return item is not None and item.is_settled

        await until_true(is_answered)

    async def item(self, id_: UUID) -> OutboxItem | None:
        console = self._console
        if console is None or console.outbox is None:
            return None
        try:
            return await console.outbox.get(id_)
        except OutboxError:
            return None

    async def _do(self, console: Console, act: Coroutine[Any, Any, _T]) -> _T | None:
        """Let the console do it; None where it died meanwhile."""
        task = console.process.spawn(act, "officer")
        await asyncio.wait([task], timeout=_PATIENCE)
        is_done = task.done() and not task.cancelled() and task.exception() is None
        return task.result() if is_done else None


async def until(condition: Callable[[], bool]) -> None:
    """Raises GaveUpError where it does not come true in time."""

    async def is_true() -> bool:
        return condition()

    await until_true(is_true)


async def until_true(condition: Callable[[], Awaitable[bool]]) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + _PATIENCE
    while not await condition():
        if loop.time() > end:
            raise GaveUpError
        await asyncio.sleep(_LOOK)


def _usable(console: Console | None) -> bool:
    return console is not None and console.sender is not None
