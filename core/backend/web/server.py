"""uvicorn, set up for many quiet websockets: no compression, small messages, limited waits."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from core.backend.web.line import ListeningProtocol
from core.backend.web.problems import MEDIA_TYPE, problem_body
from core.protocol.messages import MAX_INBOUND_BYTES

HEAD_SECONDS = 10.0
_MAX_HEAD_BYTES = 32 * 1024
_ABORT_SECONDS = 10.0
_SHUTDOWN_SECONDS = 5
_SEND_BUFFER = 256 * 1024
_WANTED_DESCRIPTORS = 65_536


class PatientProtocol(H11Protocol):
    """Waits some seconds for the head of a request, and says with a problem what is no request.

    uvicorn alone would wait for ever: each connection that sends nothing, or a byte at a time,
    holds a descriptor.
    """

    head_seconds = HEAD_SECONDS
    _head_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # so is uvicorn's
        super().connection_made(transport)
        self._head_due = self.loop.call_later(self.head_seconds, self._give_up)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._head_came()
        elif self._head_due is None:
            self._head_due = self.loop.call_later(self.head_seconds, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_came()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words
        self._refuse(400, "no-request", "This is not a request that can be read.")

    def _head_came(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _give_up(self) -> None:
        self._head_due = None
        if not self.transport.is_closing():
            self._refuse(408, "too-slow", "The request took too long to arrive.")

    def _refuse(self, status: int, code: str, detail: str) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            headers = [("content-type", MEDIA_TYPE), ("connection", "close")]
            for event in (
                h11.Response(status_code=status, headers=headers),
                h11.Data(data=problem_body(status, code, detail)),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


class LiveProtocol(ListeningProtocol):
    """Cuts a client that neither reads nor closes; uvicorn alone would hold its buffer for ever."""

    def ended(self) -> None:
        self.loop.call_later(_ABORT_SECONDS, self.transport.abort)


class Server(uvicorn.Server):
    """Tells `on_ready` when requests are answered: `await server.serve([bound_socket])`."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    def leave(self) -> None:
        """Finish what is being answered and end; from any thread, before or while serving."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()


def make_config(app: ASGIApp, *, trusted_proxies: Sequence[str] = ()) -> uvicorn.Config:
    """Only `trusted_proxies` (addresses) may say on whose behalf they ask."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        http=PatientProtocol,
        h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
        ws=LiveProtocol,
        ws_per_message_deflate=False,
        ws_max_size=MAX_INBOUND_BYTES,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )


def bind(host: str, port: int) -> socket.socket:
    """A listening address; port 0 takes a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, or asyncio does not turn Nagle's algorithm off: 40 ms more for each answer.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # Windows would let another program share the port; elsewhere this allows a quick restart.
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Left alone, the system holds some 4 MB for each client that does not read.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    bound.set_inheritable(False)
    return bound


def raise_descriptor_limit() -> None:
    """As many connections as the system allows; the usual 1024 is used up by 1,009 consoles."""
    try:
        import resource  # noqa: PLC0415 - not on Windows, where the limit is none
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = hard == resource.RLIM_INFINITY
    wanted = _WANTED_DESCRIPTORS if unlimited else min(hard, _WANTED_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
