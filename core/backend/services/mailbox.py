"""A bounded queue of outgoing messages: whoever does not read fast enough is cut off."""

from __future__ import annotations

import asyncio
from typing import Protocol

from core.protocol.messages import CloseCode


class FeedClosedError(Exception):
    """The connection must be closed with this code (see `messages.CloseCode`)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Line(Protocol):
    """A connection that takes messages straight from whoever puts them."""

    def push(self, message: bytes) -> bool:
        """Send it now; False if it would have to wait."""

    def wake(self) -> None:
        """Something waits in the mailbox, or the mailbox was closed."""


class Mailbox:
    """`put` never waits; `take` gives everything that waits, oldest first.

    Each message has a place: the ledger index it is about. Lives on one event loop. Nothing is made
    before it is needed: there is one for each connection.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._first = 0
        self._messages: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._line: Line | None = None
        self._closed: FeedClosedError | None = None

    def skip_before(self, place: int) -> None:
        """The other side has everything before this place."""
        self._first = place

    def put(self, place: int, message: bytes) -> None:
        if self._closed is not None or place < self._first:
            return
        if self._line is not None and not self._messages and self._line.push(message):
            return
        if len(self._messages) >= self._limit:
            self.close(CloseCode.TOO_SLOW, "This connection reads too slowly.")
            return
        self._messages.append(message)
        self._tell()

    def close(self, code: int, reason: str) -> None:
        """What waits is dropped: the other side resumes, or must not see it."""
        if self._closed is None:
            self._closed = FeedClosedError(code, reason)
            self._messages = []
            self._tell()

    def check(self) -> None:
        """Raises FeedClosedError once closed."""
        if self._closed is not None:
            raise FeedClosedError(self._closed.code, self._closed.reason)

    async def take(self) -> list[bytes]:
        """Wait for messages. Raises FeedClosedError once closed."""
        while not (taken := self.take_now()):
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return taken

    def take_now(self) -> list[bytes]:
        """What waits, perhaps nothing. Raises FeedClosedError once closed."""
        self.check()
        taken, self._messages = self._messages, []
        return taken

    def hand_over(self, line: Line) -> None:
        """Nobody takes any more: messages are pushed, and `line` is woken for those that wait."""
        self._line = line
        if self._messages or self._closed is not None:
            line.wake()

    def _tell(self) -> None:
        if self._line is not None:
            self._line.wake()
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
