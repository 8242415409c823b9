"""uvicorn, set up for many quiet websockets: no compression, small messages, limited waits."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from core.protocol.messages import MAX_INBOUND_BYTES

_ABORT_SECONDS = 10.0
_SHUTDOWN_SECONDS = 5
_SEND_BUFFER = 256 * 1024
_WANTED_DESCRIPTORS = 65_536


class LiveProtocol(WebSocketsSansIOProtocol):
    """Cuts a client that neither reads nor closes; uvicorn alone would hold its buffer for ever."""

    async def run_asgi(self) -> None:
        await super().run_asgi()
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
