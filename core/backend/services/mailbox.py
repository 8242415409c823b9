"""A bounded queue of outgoing messages: whoever does not read fast enough is cut off."""

from __future__ import annotations

import asyncio
from collections import deque

from core.protocol.messages import CloseCode


class FeedClosedError(Exception):
    """The connection must be closed with this code (see `messages.CloseCode`)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Mailbox:
    """`put` never waits; `take` gives everything that waits, oldest first.

    Each message has a place: the ledger index it is about. Lives on one event loop.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._messages: deque[tuple[int, bytes]] = deque()
        self._arrived = asyncio.Event()
        self._closed: FeedClosedError | None = None

    def put(self, place: int, message: bytes) -> None:
        if self._closed is not None:
            return
        if len(self._messages) >= self._limit:
            self.close(CloseCode.TOO_SLOW, "This connection reads too slowly.")
            return
        self._messages.append((place, message))
        self._arrived.set()

    def close(self, code: int, reason: str) -> None:
        """What waits is dropped: the other side resumes, or must not see it."""
        if self._closed is None:
            self._closed = FeedClosedError(code, reason)
            self._messages.clear()
            self._arrived.set()

    def check(self) -> None:
        """Raises FeedClosedError once closed."""
        if self._closed is not None:
            raise FeedClosedError(self._closed.code, self._closed.reason)

    async def take(self) -> list[tuple[int, bytes]]:
        """Wait for messages. Raises FeedClosedError once closed."""
        await self._arrived.wait()
        self.check()
        taken = list(self._messages)
        self._messages.clear()
        self._arrived.clear()
        return taken
