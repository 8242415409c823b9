"""`LiveFeed`: the feed over a websocket, kept alive, handed over in bounded batches."""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn, Protocol

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)

from core.client import connection
from core.client.backoff import Backoff, Jitter
from core.client.connection import ConnectionStatus, Step
from core.client.errors import ClientError, SignInNeededError
from core.client.http import is_loopback, tls_context
from core.protocol.feed import (
    AheadError,
    CheckpointSeen,
    Entry,
    FeedClient,
    FeedError,
    FeedEvent,
    OtherEpochError,
    Snapshot,
)
from core.protocol.messages import EnrollmentRow, Session

BATCH_MESSAGES = 200
"""Parsed and handed over at a time: a few milliseconds, then the window has its turn."""

_MAX_MESSAGE_BYTES = 8 * 1024 * 1024
_OPEN_SECONDS = 10.0
_CLOSE_SECONDS = 2.0


@dataclass(frozen=True)
class Applied:
    """One batch of the feed, in order. A snapshot, if there is one, is the first event."""

    events: tuple[FeedEvent, ...]

    @cached_property
    def snapshot(self) -> tuple[EnrollmentRow, ...] | None:
        """Rows that replace all that was held; None if this batch only changes some."""
        first = self.events[0] if self.events else None
        return first.rows if isinstance(first, Snapshot) else None

    @cached_property
    def changed(self) -> tuple[EnrollmentRow, ...]:
        """The newest row of each changed enrollment; not `waiting` means it leaves the list."""
        newest = {entry.row.enrollment: entry.row for entry in self.entries if entry.row}
        return tuple(newest.values())

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(event for event in self.events if isinstance(event, Entry))

    @cached_property
    def checkpoints(self) -> tuple[CheckpointSeen, ...]:
        return tuple(event for event in self.events if isinstance(event, CheckpointSeen))


class TokenSource(Protocol):
    """What the feed needs of `Api`: a session newer than the one that was refused."""

    async def renew(self, used_access_token: str | None) -> Session: ...


class LiveFeed:
    """Run `run` as a task. It ends by itself when a person is needed; start it again after that.

    `feed` remembers across connections, and may be given to a new LiveFeed. `on_batch` is awaited
    with each batch, `on_status` called with each change. Callbacks run on the loop.
    """

    def __init__(
        self,
        *,
        url: str,
        tokens: TokenSource,
        feed: FeedClient,
        on_batch: Callable[[Applied], Awaitable[None]],
        on_status: Callable[[ConnectionStatus], None],
        jitter: Jitter = random.random,
    ) -> None:
        self._url = url
        self._tokens = tokens
        self._feed = feed
        self._on_batch = on_batch
        self._on_status = on_status
        self._backoff = Backoff(jitter)
        self._hurry = asyncio.Event()
        self._ssl: ssl.SSLContext | None = tls_context() if url.startswith("wss:") else None
        self._refused_token: str | None = None
        self.status = connection.CONNECTING

    def retry_now(self) -> None:
        """Do not wait for the next try: somebody asked, or the network is back."""
        self._hurry.set()

    async def run(self) -> None:
        """Follow until cancelled, refused, signed out or alarmed; `status` then says which."""
        self._become(connection.CONNECTING)
        while True:
            final = _FINAL.get(await self._connect_once())
            if final is not None:
                self._become(final)
                return
            self._become(connection.LOST)
            await self._pause()
            self._become(connection.CONNECTING)

    async def _pause(self) -> None:
        seconds = self._backoff.next()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), seconds)
        self._hurry.clear()

    async def _connect_once(self) -> Step:
        """One connection from start to end, and what its end means."""
        try:
            session = await self._tokens.renew(self._refused_token)
        except SignInNeededError:
            return Step.SIGN_IN
        except ClientError:
            return Step.RETRY
        step = await self._talk(session.access_token)
        if step is Step.RENEW:
            self._refused_token = session.access_token
        return step

    async def _talk(self, token: str) -> Step:
        try:
            async with self._socket() as socket:
                await socket.send(self._feed.hello(token).model_dump_json())
                await self._follow(socket)
        except (AheadError, OtherEpochError):
            return Step.ALARM
        except FeedError:
            return Step.RETRY  # closed by now; the next hello resumes before the gap
        except ConnectionClosed as closed:
            return connection.after_close(closed.rcvd.code if closed.rcvd else None)
        except InvalidStatus as refused:
            return connection.after_handshake(refused.response.status_code)
        except InvalidURI:
            return Step.REFUSED
        except (OSError, WebSocketException):
            return Step.RETRY

    def _socket(self) -> connect:
        return connect(
            self._url,
            ssl=self._ssl,
            compression=None,
            max_size=_MAX_MESSAGE_BYTES,
            open_timeout=_OPEN_SECONDS,
            close_timeout=_CLOSE_SECONDS,
            proxy=None if is_loopback(httpx.URL(self._url)) else True,
        )

    async def _follow(self, socket: ClientConnection) -> NoReturn:
        """Hand over what comes until the connection ends, and raise that end.

        What came before the end is not lost.
        """
        arrived: asyncio.Queue[str | bytes | ConnectionClosed] = asyncio.Queue(BATCH_MESSAGES)
        reader = asyncio.create_task(_read(socket, arrived), name="live feed reader")
        try:
            while True:
                ended = await self._hand_over(await _some(arrived))
                if ended is not None:
                    raise ended
                await asyncio.sleep(0)
        finally:
            reader.cancel()
            await asyncio.wait([reader])

    async def _hand_over(self, messages: list[str | bytes | ConnectionClosed]) -> Exception | None:
        events: list[FeedEvent] = []
        ended: Exception | None = None
        for message in messages:
            try:
                if isinstance(message, ConnectionClosed):
                    raise message
                events += self._feed.receive(message)
            except (ConnectionClosed, FeedError) as error:
                ended = error
                break
        for batch in _batches(events):
            self._backoff.reset()
            self._refused_token = None
            self._become(connection.LIVE)
            await self._on_batch(Applied(batch))
        return ended

    def _become(self, status: ConnectionStatus) -> None:
        if status is not self.status:
            self.status = status
            self._on_status(status)


_FINAL = {
    Step.REFUSED: connection.REFUSED,
    Step.SIGN_IN: connection.SIGNED_OUT,
    Step.ALARM: connection.OTHER_LEDGER,
}


def _batches(events: list[FeedEvent]) -> Iterator[tuple[FeedEvent, ...]]:
    """The events in order, cut so that a snapshot is always the first of its batch."""
    start = 0
    for position, event in enumerate(events):
        if isinstance(event, Snapshot) and position > start:
            yield tuple(events[start:position])
            start = position
    if events:
        yield tuple(events[start:])


async def _read(
    socket: ClientConnection, arrived: asyncio.Queue[str | bytes | ConnectionClosed]
) -> None:
    try:
        while True:
            await arrived.put(await socket.recv())
    except ConnectionClosed as closed:
        await arrived.put(closed)


async def _some(
    arrived: asyncio.Queue[str | bytes | ConnectionClosed],
) -> list[str | bytes | ConnectionClosed]:
    """All that has arrived, at least one; the queue bounds how many."""
    messages = [await arrived.get()]
    while not arrived.empty() and len(messages) < BATCH_MESSAGES:
        messages.append(arrived.get_nowait())
    return messages
