"""Running a sandbox: an application of its own, on loopback, in whatever loop is at hand."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from uvicorn.server import ServerState

from core.backend.gateway.sandbox import control, pages, routes
from core.backend.gateway.sandbox.sandbox import Sandbox
from core.backend.web.server import bind, make_config
from core.backend.web.shield import BodyLimit

_LOOPBACK = "127.0.0.1"
_CLOSE_SECONDS = 2.0


def create_sandbox_app(sandbox: Sandbox) -> FastAPI:
    """The application over a sandbox; whoever serves it sets `sandbox.address`."""
    app = FastAPI(
        title="Bursar sandbox", docs_url=None, redoc_url=None, openapi_url=None,
        redirect_slashes=False,
    )  # fmt: skip
    app.state.sandbox = sandbox
    app.add_exception_handler(routes.REFUSED, routes.refused)
    for part in (routes, pages, control):
        app.include_router(part.router)
    app.add_middleware(BodyLimit)
    return app


@asynccontextmanager
async def serving(
    sandbox: Sandbox, *, port: int = 0, bound: socket.socket | None = None
) -> AsyncIterator[str]:
    """Serve on 127.0.0.1 and give the address; port 0 takes a free one. Raises OSError.

    `bound`: listens there instead, for who has to know the address first (`address_of`).
    At the end callbacks that are on their way are dropped, and the sandbox cannot be used again.
    """
    config = make_config(create_sandbox_app(sandbox))
    config.load()
    state = ServerState()
    protocol: Callable[..., asyncio.Protocol] = config.http_protocol_class
    place = bound or bind(_LOOPBACK, port)
    listening = await asyncio.get_running_loop().create_server(
        lambda: protocol(config=config, server_state=state, app_state={}),
        sock=place,
    )
    sandbox.address = address_of(place)
    try:
        yield sandbox.address
    finally:
        listening.close()
        await sandbox.callbacks.aclose()
        await _close(state)


def address_of(bound: socket.socket) -> str:
    """What `serving` gives for this one."""
    return f"http://{_LOOPBACK}:{bound.getsockname()[1]}"


async def _close(state: ServerState) -> None:
    for connection in list(state.connections):
        connection.shutdown()
    if state.tasks:
        _, late = await asyncio.wait(state.tasks, timeout=_CLOSE_SECONDS)
        for task in late:
            task.cancel()
    for connection in list(state.connections):
        connection.transport.abort()
    await asyncio.sleep(0)
