"""The network between consoles and backend nodes: requests and feeds, and all that befalls them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from websockets.exceptions import ConnectionClosed, ConnectionClosedError
from websockets.frames import Close

from core.client.errors import NotSentError, UnreachableError
from tests.simulator.chance import Chance
from tests.simulator.process import Process

_T = TypeVar("_T")

REQUEST_SECONDS = 15.0
_MOMENT = 1e-6
_GONE = "The backend cannot be reached."


@dataclass(frozen=True, slots=True)
class Weather:
    """How bad the network is: chances per message, and seconds on the way."""

    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    delay: float = 0.02
    late_by: float = 15.0


CALM = Weather()


class Place(Protocol):
    """Where a request arrives."""

    process: Process


_P = TypeVar("_P", bound=Place)


class Link:
    """One machine's way to the backend. `where` is the node that it reaches now."""

    def __init__(self, chance: Chance) -> None:
        self.weather = CALM
        self.is_cut = False
        self.loses_answers = False
        self.where = 0
        self._chance = chance
        self._lines: list[Line] = []

    async def ask(
        self, node: Callable[[int], _P | None], serve: Callable[[_P], Awaitable[_T]]
    ) -> _T:
        """Let `serve` run at the node this reaches: perhaps never, perhaps twice, perhaps long
        after nobody waits any more. Raises UnreachableError where no answer comes."""
        loop = asyncio.get_running_loop()
        request: _Request[_P, _T] = _Request(self, node, serve, loop.create_future())
        if not self.loses():
            loop.call_later(self.seconds(), request.arrive)
        if self._chance.happens(self.weather.doubled):
            later = self.seconds() + self._chance.uniform(0, self.weather.late_by)
            loop.call_later(later, request.arrive)
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                return await request.answer
        except TimeoutError as error:
            raise UnreachableError(_GONE) from error

    def loses(self) -> bool:
        """Whether the next message is lost."""
        return self.is_cut or self._chance.happens(self.weather.lost)

    def seconds(self) -> float:
        """How long the next message is on its way."""
        slow = self._chance.happens(self.weather.late)
        return self._chance.uniform(0.001, self.weather.late_by if slow else self.weather.delay)

    # --- feeds ---------------------------------------------------------------------------------

    def open_line(self) -> Line:
        """Raises OSError where the connection is not made."""
        if self.loses():
            raise OSError(_GONE)
        line = Line(self, self._chance)
        self._lines = [*(held for held in self._lines if not held.is_closed), line]
        return line

    def cut(self) -> None:
        """Nothing gets through from now on; both ends find out by themselves, later."""
        self.is_cut = True
        for line in self._lines:
            line.break_within(20.0)

    def heal(self) -> None:
        """All is well again, for what is sent from now on."""
        self.weather, self.is_cut, self.loses_answers = CALM, False, False

    def hang_up(self) -> None:
        """The machine at this end is gone."""
        for line in self._lines:
            line.break_now()


class _Request(Generic[_P, _T]):
    """One request on its way there and back."""

    def __init__(
        self,
        link: Link,
        node: Callable[[int], _P | None],
        serve: Callable[[_P], Awaitable[_T]],
        answer: asyncio.Future[_T],
    ) -> None:
        self.answer = answer
        self._link = link
        self._node = node
        self._serve = serve

    def arrive(self) -> None:
        place = self._node(self._link.where)
        if self._link.is_cut:
            return
        if place is None or not place.process.alive:
            self._later(self._refuse)
            return
        task = place.process.spawn(self._run(place), "request")
        task.add_done_callback(self._go_back)

    async def _run(self, place: _P) -> _T:
        return await self._serve(place)

    def _go_back(self, task: asyncio.Task[_T]) -> None:
        if self._link.loses_answers:
            return
        if not task.cancelled() and task.exception() is None and not self._link.loses():
            self._later(self._give, task.result())

    def _later(self, step: Callable[..., None], *args: object) -> None:
        asyncio.get_running_loop().call_later(self._link.seconds(), step, *args)

    def _refuse(self) -> None:
        if not self.answer.done():
            self.answer.set_exception(NotSentError(_GONE))

    def _give(self, result: _T) -> None:
        if not self.answer.done() and not self._link.is_cut:
            self.answer.set_result(result)


class Line:
    """A websocket in memory. Messages keep their order unless the weather says otherwise."""

    def __init__(self, link: Link, chance: Chance) -> None:
        self._has_stalled = False
        self._link = link
        self._chance = chance
        self._down: asyncio.Queue[str | ConnectionClosed] = asyncio.Queue()
        self._up: asyncio.Queue[str] = asyncio.Queue()
        self._free_at = 0.0
        self._end: ConnectionClosed | None = None
        self.on_end: Callable[[], None] = lambda: None

    @property
    def is_closed(self) -> bool:
        return self._end is not None

    # --- the backend's end ---

    async def hear(self) -> str:
        return await self._up.get()

    def say(self, text: str) -> None:
        """Send to the console. What is lost on a stream is lost with all that comes behind it;
        entries, which the feed itself puts in order, may also come late and twice."""
        weather, loop = self._link.weather, asyncio.get_running_loop()
        if self._has_stalled:
            return
        if self._link.is_cut or self._chance.happens(weather.lost):
            self._has_stalled = True
            self.break_within(20.0)
            return
        due = loop.time() + self._chance.uniform(0.001, weather.delay)
        if '"index":' in text[:30] and self._chance.happens(weather.late):
            loop.call_at(due + self._chance.uniform(0.0, 2.0), self._arrive, text)
            return
        # One after the other: what is due at one time comes in no order.
        self._free_at = max(self._free_at + _MOMENT, due)
        loop.call_at(self._free_at, self._arrive, text)
        if '"index":' in text[:30] and self._chance.happens(weather.doubled):
            loop.call_at(self._free_at + self._chance.uniform(0.0, 2.0), self._arrive, text)

    def close(self, code: int, reason: str) -> None:
        """The backend ends the connection, behind what it has sent."""
        loop = asyncio.get_running_loop()
        end = ConnectionClosedError(Close(code, reason), None)
        self._free_at = max(self._free_at + _MOMENT, loop.time() + 0.001)
        loop.call_at(self._free_at, self._finish, end)

    # --- the console's end ---

    async def send(self, text: str) -> None:
        self._up.put_nowait(text)

    async def recv(self) -> str:
        message = await self._down.get()
        if isinstance(message, ConnectionClosed):
            self._down.put_nowait(message)
            raise message
        return message

    # --- both ---

    def break_now(self) -> None:
        self._finish(ConnectionClosedError(None, None))

    def break_within(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(self._chance.uniform(0.0, seconds), self.break_now)

    def _arrive(self, text: str) -> None:
        if self._end is None:
            self._down.put_nowait(text)

    def _finish(self, end: ConnectionClosed) -> None:
        if self._end is None:
            self._end = end
            self._down.put_nowait(end)
            self.on_end()
