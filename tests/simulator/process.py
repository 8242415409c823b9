"""A process that may die between any two of its steps: its memory is lost, its files stay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from enum import Enum, auto
from typing import Any, TypeVar

from tests.simulator.chance import Chance

_T = TypeVar("_T")

PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)
"""Whose code runs just now; tasks inherit it."""


class DiedError(BaseException):
    """The process ends here and now; nothing in it may catch this."""


class Death(Enum):
    """Where in a blocking call a process dies; the last two are for the backend's writer."""

    BEFORE = auto()
    AFTER = auto()
    BEFORE_COMMIT = auto()
    AFTER_COMMIT = auto()


class Process:
    """`on_end` closes what the operating system would close; `on_error` hears of a task's error.

    Every blocking call is one step. Most are done at once, some take a while in which others run.
    """

    def __init__(
        self,
        name: str,
        chance: Chance,
        *,
        on_end: Callable[[], None],
        on_error: Callable[[str, BaseException], None],
    ) -> None:
        self.name = name
        self.alive = True
        self._chance = chance
        self._on_end = on_end
        self._on_error = on_error
        self._tasks: dict[asyncio.Task[Any], None] = {}  # a dict keeps its order
        self._steps_left = -1
        self._death = Death.BEFORE
        self._write_death: Death | None = None

    def spawn(self, work: Coroutine[Any, Any, _T], name: str) -> asyncio.Task[_T]:
        """Start a task of this process; one that has died starts nothing any more."""
        context = copy_context()
        context.run(PROCESS.set, self)
        loop = asyncio.get_running_loop()
        task = loop.create_task(work, name=f"{self.name}: {name}", context=context)
        task.add_done_callback(self._ended)
        if not self.alive:
            task.cancel()
        return task

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """Every task that code of this process starts, belongs to it."""
        self._tasks[task] = None
        task.add_done_callback(self._forget)

    def die_soon(self, steps: int, death: Death) -> None:
        """Die in the `steps`-th blocking call from now."""
        self._steps_left, self._death = steps, death

    def step(self, loop: asyncio.AbstractEventLoop, call: Callable[[], _T]) -> asyncio.Future[_T]:
        """One blocking call: its result, or nothing for ever where the process has died."""
        future: asyncio.Future[_T] = loop.create_future()
        if not self.alive:
            return future
        death = self._next_death()
        if death is Death.BEFORE:
            self.die()
            return future
        try:
            result = call()
        except DiedError:
            self.die()
            return future
        except Exception as error:  # noqa: BLE001 - handed to whoever waits, as an executor does
            future.set_exception(error)
            return future
        if death is Death.AFTER:
            self.die()
            if callable(close := getattr(result, "close", None)):
                close()  # what the call had opened ends with the process
        elif self._chance.happens(0.1):
            loop.call_later(self._chance.uniform(0.001, 0.05), _settle, future, result)
        else:
            future.set_result(result)
        return future

    def _next_death(self) -> Death | None:
        if self._steps_left < 0:
            return None
        self._steps_left -= 1
        return self._death if self._steps_left < 0 else None

    def die_in_write(self, death: Death) -> None:
        """Die in the next write of the backend's writer."""
        self._write_death = death

    def spare(self) -> None:
        """Forget how it was to die."""
        self._steps_left, self._write_death = -1, None

    def take_write_death(self) -> Death | None:
        """How the writer has to die in this very write."""
        death, self._write_death = self._write_death, None
        return death

    def die(self) -> None:
        """Everything in memory is gone. What a dying task still tries to do has no effect."""
        if not self.alive:
            return
        self.alive = False
        self._on_end()
        for task in list(self._tasks):
            task.cancel()

    async def gone(self) -> None:
        """Wait until the last task has ended."""
        while self._tasks:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.sleep(0)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and self.alive:
            self._on_error(task.get_name(), error)


def _settle(future: asyncio.Future[_T], result: _T) -> None:
    if not future.done():
        future.set_result(result)
