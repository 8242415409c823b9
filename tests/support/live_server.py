"""The real uvicorn protocols on a loop of their own thread, with a switch to go dark."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.server import ServerState

from core.backend.web.server import bind, make_config
from tests.support.waiting import until

_T = TypeVar("_T")
_WAIT_SECONDS = 20.0


class LoopThread:
    """An event loop in a thread; what nobody could be told on it is told at the end."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.problems: list[str] = []
        self.loop.set_exception_handler(self._note)
        self._thread = threading.Thread(target=self.loop.run_forever, name="live-backend")
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run `work` there and give its result here."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(_WAIT_SECONDS)

    def close(self) -> None:
        """End the thread; `AssertionError` names tasks that were left behind and lost errors."""
        left: list[str] = self.run(self._left_behind())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(_WAIT_SECONDS)
        self.loop.close()
        problems = [*self.problems, *(f"leaked task on the backend: {task}" for task in left)]
        assert not problems, "\n".join(problems)

    async def _left_behind(self) -> list[str]:
        mine = asyncio.current_task()
        if left := {task for task in asyncio.all_tasks() if task is not mine}:
            _, left = await asyncio.wait(left, timeout=2)
        for task in left:
            task.cancel()
        return [repr(task) for task in left]

    def _note(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.problems.append(f"{context.get('message')}: {context.get('exception')!r}")


class Weather:
    """Between the network and the application: answers come at once, late, or not for now."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.delay = 0.0
        self.open = asyncio.Event()
        self.clear()

    def clear(self) -> None:
        """Answer at once again, what waited first."""
        self.delay = 0.0
        self.open.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await asyncio.sleep(self.delay)
            await self.open.wait()
            await self._app(scope, receive, send)
            return

        async def late(message: Message) -> None:
            await asyncio.sleep(self.delay)
            await self.open.wait()
            await send(message)

        await self._app(scope, receive, late)


class LiveServer:
    """Listens on one port of 127.0.0.1 for as long as it lives, or keeps it closed meanwhile."""

    def __init__(self, thread: LoopThread) -> None:
        self._thread = thread
        # Never listens: connecting is refused while we are dark, and nobody else gets the port.
        self._reserve = bind("127.0.0.1", 0)
        self.port: int = self._reserve.getsockname()[1]
        self._state = ServerState()
        self._config: uvicorn.Config | None = None
        self._listening: asyncio.Server | None = None
        self.weather: Weather | None = None

    @property
    def connections(self) -> int:
        """How many clients are connected now."""
        return len(self._state.connections)

    def serve(self, app: ASGIApp) -> None:
        """Begin to answer, with `app`."""
        self.replace(app)
        self._thread.run(self._listen())

    def replace(self, app: ASGIApp) -> None:
        """Answer new connections with `app`."""
        self.weather = Weather(app)
        self._config = make_config(self.weather)
        self._config.load()

    async def _listen(self) -> None:
        config = self._config
        assert config is not None

        def protocol() -> asyncio.Protocol:
            return config.http_protocol_class(  # type: ignore[call-arg]  # uvicorn's own way
                config=config, server_state=self._state, app_state={}
            )

        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(protocol, sock=bind("127.0.0.1", self.port))

    async def _go_dark(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        if self.weather is not None:
            self.weather.clear()  # nobody is left to wait for
        for connection in list(self._state.connections):
            connection.transport.abort()
        await until(
            lambda: not (self._state.connections or self._state.tasks), what="closed connections"
        )

    @contextmanager
    def dark(self) -> Iterator[None]:
        """Cut every connection and refuse new ones; then listen again on the same port."""
        self._thread.run(self._go_dark())
        try:
            yield
        finally:
            self._thread.run(self._listen())

    def close(self) -> None:
        self._thread.run(self._go_dark())
        self._reserve.close()
