"""Small websocket servers, and a console that follows them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

from pydantic import BaseModel
from websockets.asyncio.server import Server, ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from core.client.backoff import Jitter
from core.client.connection import ConnectionMachine, ConnectionState
from core.client.live import Applied, LiveFeed
from core.protocol.feed import FeedClient
from core.protocol.messages import (
    EntryMessage,
    Hello,
    Resumed,
    Session,
    SnapshotBegin,
    SnapshotEnd,
    SnapshotRows,
)
from tests.client.build import session
from tests.protocol.build import EPOCH, row

Talk = Callable[["Line"], Awaitable[None]]


class Line:
    """One connection at the server."""

    def __init__(self, socket: ServerConnection, hello: Hello) -> None:
        self.socket = socket
        self.hello = hello

    async def say(self, *messages: BaseModel) -> None:
        for message in messages:
            await self.socket.send(message.model_dump_json())

    async def opening(self, size: int = 0, *rows: int) -> None:
        """A snapshot, or on where the console was."""
        if self.hello.next is not None:
            await self.say(Resumed(epoch=EPOCH, next=self.hello.next))
            return
        shown = SnapshotRows(rows=tuple(row(number) for number in rows))
        await self.say(SnapshotBegin(epoch=EPOCH, size=size), shown, SnapshotEnd())

    async def stay(self) -> None:
        await self.socket.wait_closed()


class Place:
    """A server on a free port; each connection is served by the next of `talks`, then the last."""

    def __init__(self) -> None:
        self.talks: list[Talk] = []
        self.hellos: list[Hello] = []
        self.handshakes: list[HTTPStatus] = []
        self.url = ""

    async def serve(self, socket: ServerConnection) -> None:
        hello = Hello.model_validate_json(await socket.recv())
        self.hellos.append(hello)
        talk = self.talks.pop(0) if len(self.talks) > 1 else self.talks[0]
        try:
            await talk(Line(socket, hello))
        except ConnectionClosed:
            return

    def handshake(self, socket: ServerConnection, _request: Request) -> Response | None:
        if self.handshakes:
            return socket.respond(self.handshakes.pop(0), "no")
        return None


class Tokens:
    def __init__(self) -> None:
        self.number = 1
        self.failures: list[Exception] = []

    async def renew(self, used_access_token: str | None) -> Session:
        if self.failures:
            raise self.failures.pop(0)
        if used_access_token == session(self.number).access_token:
            self.number += 1
        return session(self.number)


class Console:
    """A feed and what it handed over."""

    def __init__(self, url: str) -> None:
        self.batches: list[Applied] = []
        self.states: list[ConnectionState] = []
        self.tokens = Tokens()
        self.machine = FeedClient()
        self.feed = LiveFeed(
            url=url,
            tokens=self.tokens,
            feed=self.machine,
            on_batch=self.take,
            on_status=lambda status: self.states.append(status.state),
            jitter=lambda: 0.0,
        )
        self.delays = Delays()
        self.feed._machine = ConnectionMachine(jitter=lambda: 0.0, delays=self.delays)

    async def take(self, batch: Applied) -> None:
        self.batches.append(batch)

    def entries(self) -> list[int]:
        return [entry.index for batch in self.batches for entry in batch.entries]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(self.feed.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait([task])


class Delays:
    """Tests do not wait for delays; test_connection.py proves them. Keeps which were asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.seconds = 0.001

    def __call__(self, attempt: int, _jitter: Jitter) -> float:
        self.asked.append(attempt)
        return self.seconds


def port_of(server: Server) -> int:
    [listening] = server.sockets
    number: int = listening.getsockname()[1]
    return number


def entry(index: int) -> EntryMessage:
    return EntryMessage(index=index, leaf=f"leaf {index}")


async def stay_after_opening(line: Line) -> None:
    await line.opening()
    await line.stay()
