"""A socket that has caught up and only listens: no task, no request and no frame is kept for it.

The live endpoint hands it over and returns. From then on whoever has news writes it straight to the
transport. Only where the client reads too slowly a task waits for it, until it has caught up again.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from functools import lru_cache

from starlette.websockets import WebSocket
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

from core.backend.services.mailbox import FeedClosedError
from core.backend.services.subscriptions import Subscription
from core.protocol.messages import CloseCode

_EXTENSION = "bursar.handover"
_TAKE_OVER = "take_over"
_TEXT_FRAME = 0x81

TakeOver = Callable[[Subscription, float], bool]


def handover(socket: WebSocket) -> TakeOver | None:
    """How to give this socket and its subscription to the server, where the server can do it.

    `take_over(subscription, send_seconds)` is False for a client that has just said something or
    left; otherwise the endpoint has to return at once.
    """
    found = (socket.scope.get("extensions") or {}).get(_EXTENSION)
    return None if found is None else found[_TAKE_OVER]


@lru_cache(maxsize=8)
def text_frame(message: bytes) -> bytes:
    """A message as a server sends it; the same for every socket, so made once."""
    size = len(message)
    if size < 126:
        return bytes((_TEXT_FRAME, size)) + message
    if size < 65536:
        return struct.pack("!BBH", _TEXT_FRAME, 126, size) + message
    return struct.pack("!BBQ", _TEXT_FRAME, 127, size) + message


class ListeningProtocol(WebSocketsSansIOProtocol):
    """uvicorn's websocket, which an endpoint may leave behind with a subscription."""

    _subscription: Subscription | None = None
    _draining: asyncio.Task[None] | None = None
    _send_seconds = 0.0

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101 and self.scope["extensions"] is not None:
            self.scope["extensions"][_EXTENSION] = {_TAKE_OVER: self._take_over}

    def _take_over(self, subscription: Subscription, send_seconds: float) -> bool:
        if self.close_sent or self.disconnected or not self.queue.empty():
            return False
        self._subscription = subscription
        self._send_seconds = send_seconds
        # uvicorn closes a connection whose endpoint returns, unless it waits for the other side.
        self.close_timer = self.loop.call_later(0, _nothing)
        return True

    async def run_asgi(self) -> None:
        await super().run_asgi()
        subscription = self._subscription
        if subscription is None:
            self.ended()
        elif self.disconnected:
            subscription.close()
        else:
            self.close_timer = None
            del self.scope, self.request, self.response  # only the handshake needs them
            subscription.mailbox.hand_over(self)

    def ended(self) -> None:
        """Nothing more will be said by us."""

    # --- as the mailbox sees it ----------------------------------------------------------------

    def push(self, message: bytes) -> bool:
        if self._draining is not None or not self.writable.is_set():
            return False
        if self.conn.state is not State.OPEN or self.transport.is_closing():
            return True  # nobody is there any more: connection_lost follows
        self.transport.write(text_frame(message))
        return True

    def wake(self) -> None:
        subscription = self._subscription
        if subscription is not None and self._draining is None and not self.disconnected:
            self._draining = self.loop.create_task(self._drain(subscription), name="live-drain")
            self._draining.add_done_callback(self.on_task_complete)
            self.tasks.add(self._draining)

    # --- as the network sees it ----------------------------------------------------------------

    def send_receive_event_to_app(self) -> None:
        if self._subscription is None:
            super().send_receive_event_to_app()
            return
        self.frames = []
        self._subscription.mailbox.close(CloseCode.BAD_MESSAGE, "Nothing was expected here.")

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._subscription is not None:
            self._subscription.close()

    # --- slow and ending ones ------------------------------------------------------------------

    async def _drain(self, subscription: Subscription) -> None:
        """Send what waits, as fast as the client reads; then go back to being pushed to."""
        try:
            while waiting := subscription.mailbox.take_now():
                for message in waiting:
                    await self._send_in_time(message)
        except FeedClosedError as end:
            subscription.close()
            await self._say_goodbye(end)
        except ClientDisconnected:
            return  # connection_lost has closed the subscription
        else:
            self._draining = None

    async def _send_in_time(self, message: bytes) -> None:
        try:
            async with asyncio.timeout(self._send_seconds):
                await self.send({"type": "websocket.send", "text": message.decode()})
        except TimeoutError:
            raise FeedClosedError(CloseCode.TOO_SLOW, "Too slow; please resume.") from None
        except RuntimeError as error:
            # uvicorn closed it beneath us (a frame too large, junk) while this was on its way.
            raise ClientDisconnected from error

    async def _say_goodbye(self, end: FeedClosedError) -> None:
        """Say why; a client that does not take even this is cut off."""
        try:
            async with asyncio.timeout(self._send_seconds):
                await self.send({"type": "websocket.close", "code": end.code, "reason": end.reason})
        except (TimeoutError, ClientDisconnected, RuntimeError):
            self.transport.close()
        self.ended()


def _nothing() -> None:
    pass
