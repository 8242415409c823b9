"""Servers that do nothing but websockets: the limits that the product is held against.

Argument: `broadcast` (the websockets library; sends a text to everybody at once; echoes) or
`starlette` (an endpoint that accepts and waits, under uvicorn set up as ours).

    (at the start)                  -> {"port": n}
    {"do": "send", "text": ".."}    -> {"sent_ns": ..}: before the first of them is sent
    {"do": "settle"}                -> {}
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.server import ServerConnection, broadcast, serve

from core.backend.web.server import Server, bind, make_config
from tests.benchmarks.processes import Answer, on_commands, say


def _commands() -> asyncio.Queue[Answer | None]:
    loop = asyncio.get_running_loop()
    given: asyncio.Queue[Answer | None] = asyncio.Queue()
    on_commands(lambda command: loop.call_soon_threadsafe(given.put_nowait, command))
    return given


async def _broadcasting() -> None:
    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    given = _commands()
    async with serve(echo, "127.0.0.1", 0, compression=None) as server:
        say(port=next(iter(server.sockets)).getsockname()[1])
        while (command := await given.get()) is not None:
            now = time.monotonic_ns()
            if command["do"] == "send":
                broadcast(server.connections, command["text"])
            else:
                gc.collect()
            say(sent_ns=now)


async def _waiting(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        return


async def _starlette() -> None:
    bound = bind("127.0.0.1", 0)
    app = Starlette(routes=[WebSocketRoute("/", _waiting)])
    server = Server(make_config(app), lambda: say(port=bound.getsockname()[1]))
    given = _commands()
    serving = asyncio.create_task(server.serve([bound]))
    while await given.get() is not None:
        gc.collect()
        say()
    server.leave()
    await serving


if __name__ == "__main__":
    asyncio.run(_broadcasting() if sys.argv[1] == "broadcast" else _starlette())
