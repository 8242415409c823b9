"""An event loop whose time is virtual: it passes when everybody waits, and never otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any, TypeVar

from tests.simulator.process import PROCESS

_T = TypeVar("_T")


class StuckError(RuntimeError):
    """Everybody waits for something that nobody will do."""


class _Time:
    """Stands where a selector would wait for sockets: there are none, so it lets time pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def select(self, seconds: float | None) -> list[Any]:
        if seconds is None:
            raise StuckError("everybody waits, and nothing will ever happen")
        self.now += max(seconds, 0.0)
        return []

    def close(self) -> None: ...


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs unmodified asynchronous code in no time at all, always in the same order.

    What would run in a thread runs in its place, as a step of the process that asked for it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Time()
        self._clock_resolution = 1e-9
        self.set_task_factory(_new_task)

    def time(self) -> float:
        return self._selector.now

    def run_in_executor(  # type: ignore[override]  # the stub's type variables cannot be spelled
        self, _executor: Any, func: Callable[..., _T], *args: Any
    ) -> asyncio.Future[_T]:
        process = PROCESS.get()
        if process is not None:
            return process.step(self, lambda: func(*args))
        future: asyncio.Future[_T] = self.create_future()
        future.set_result(func(*args))
        return future

    def _process_events(self, event_list: list[Any]) -> None:
        """There are no sockets."""

    def _write_to_self(self) -> None:
        """Nobody sleeps in another thread."""


def _new_task(
    loop: asyncio.AbstractEventLoop, work: Any, context: Context | None = None, **more: Any
) -> asyncio.Task[Any]:
    """A task belongs to the process whose code started it."""
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context, **more)
    process = PROCESS.get() if context is None else context.get(PROCESS)
    if process is not None:
        process.adopt(task)
    return task
