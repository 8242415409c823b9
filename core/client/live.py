"""`LiveFeed`: the feed over a websocket, kept alive, handed over in bounded batches."""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
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
from core.client.backoff import Jitter
from core.client.connection import (
    Action,
    Connect,
    ConnectionMachine,
    ConnectionStatus,
    Reaction,
)
from core.client.errors import AccountDisabledError, ClientError, SignInNeededError
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
from core.protocol.messages import CloseCode, EnrollmentRow, Session

BATCH_MESSAGES = 200
"""Parsed and handed over at a time: a few milliseconds, then the window has its turn."""

_MAX_MESSAGE_BYTES = 8 * 1024 * 1024
_OPEN_SECONDS = 10.0
_CLOSE_SECONDS = 2.0
# A backend begins to answer a hello at once, or it is not one.
_FIRST_MESSAGE_SECONDS = 30.0


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
    with each batch, `on_status` called with each change of what is to be shown. Callbacks run on
    the loop. What to do next is `connection.ConnectionMachine`'s to say.
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
        self._machine = ConnectionMachine(jitter=jitter)
        self._hurry = asyncio.Event()
        self._ssl: ssl.SSLContext | None = tls_context() if url.startswith("wss:") else None
        self._token: str | None = None
        self._refused_token: str | None = None
        self._looking: asyncio.TimerHandle | None = None
        self._running = False
        self.status = connection.CONNECTING

    def retry_now(self) -> None:
        """Do not wait for the next try: somebody asked, or the network is back."""
        if self._running and self._show(self._machine.retry_now(_now())) is not None:
            self._hurry.set()

    async def run(self) -> None:
        """Follow until cancelled, refused, signed out or alarmed; `status` then says which."""
        self._running = True
        try:
            action = self._show(self._machine.start(_now()))
            while isinstance(action, Connect):
                if action.renew:
                    self._refused_token = self._token
                await self._pause(action.after)
                self._show(self._machine.connecting(_now()))
                action = self._show(await self._connect_once())
        finally:
            self._running = False
            if self._looking is not None:
                self._looking.cancel()
            self._machine.stop(_now())

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            # Not `wait_for`: Python 3.11's loses a cancellation that comes with the event.
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        self._hurry.clear()

    async def _connect_once(self) -> Reaction:
        """One connection from start to end, and what its end leads to."""
        try:
            session = await self._tokens.renew(self._refused_token)
        except AccountDisabledError as error:
            return self._machine.shut_out(str(error), _now())
        except SignInNeededError:
            return self._machine.session_ended(_now())
        except ClientError:
            return self._machine.unreachable(_now())
        return await self._talk(session.access_token)

    async def _talk(self, token: str) -> Reaction:
        self._token = token
        try:
            async with self._socket() as socket:
                await socket.send(self._feed.hello(token).model_dump_json())
                self._show(self._machine.opened(_now()))
                await self._follow(socket)
        except AheadError:
            return self._machine.closed(CloseCode.AHEAD, _now())
        except OtherEpochError:
            return self._machine.closed(CloseCode.OTHER_EPOCH, _now())
        except FeedError:
            return self._machine.closed(None, _now())  # the next hello resumes before the gap
        except ConnectionClosed as closed:
            code, reason = _end_of(closed)
            return self._machine.closed(code, _now(), reason)
        except InvalidStatus as refused:
            return self._machine.handshake_refused(refused.response.status_code, _now())
        except InvalidURI:
            return self._machine.handshake_refused(HTTPStatus.BAD_REQUEST, _now())
        except (OSError, WebSocketException):
            return self._machine.unreachable(_now())

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
            async with asyncio.timeout(_FIRST_MESSAGE_SECONDS):
                messages = await _some(arrived)
            while True:
                ended = await self._hand_over(messages)
                if ended is not None:
                    raise ended
                await asyncio.sleep(0)
                messages = await _some(arrived)
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
            self._refused_token = None
            self._show(self._machine.live(_now()))
            await self._on_batch(Applied(batch))
        return ended

    def _show(self, reaction: Reaction) -> Action:
        """Tell a change of status, and look again when it changes by itself; the action."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        if reaction.look_at is not None:
            self._looking = asyncio.get_running_loop().call_at(reaction.look_at, self._look)
        if reaction.status != self.status:
            self.status = reaction.status
            self._on_status(reaction.status)
        return reaction.action

    def _look(self) -> None:
        self._show(self._machine.look(_now()))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _batches(events: list[FeedEvent]) -> Iterator[tuple[FeedEvent, ...]]:
    """The events in order, cut so that a snapshot is always the first of its batch."""
    start = 0
    for position, event in enumerate(events):
        if isinstance(event, Snapshot) and position > start:
            yield tuple(events[start:position])
            start = position
    if events:
        yield tuple(events[start:])


def _end_of(closed: ConnectionClosed) -> tuple[int | None, str]:
    """The other side's code and words; None where it just broke."""
    return (None, "") if closed.rcvd is None else (closed.rcvd.code, closed.rcvd.reason)


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
