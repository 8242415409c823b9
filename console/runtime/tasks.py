"""`TaskRunner`: the only place that starts tasks. It names, keeps, ends and reports them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Report = Callable[[BaseException, str], None]
Work = Coroutine[Any, Any, None]


class TaskRunner:
    """Owns the tasks of one part of the program; its `close` ends them all."""

    def __init__(self, report: Report) -> None:
        """`report(error, name)` is told of every error but cancellation."""
        self._report = report
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._closed = False

    def start(self, name: str, work: Work) -> None:
        """Start `work` beside whatever else has this name. Does nothing once closed."""
        if self._closed:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks[task] = name
        task.add_done_callback(self._ended)

    def replace(self, name: str, work: Work) -> None:
        """Start `work` and cancel what ran under this name: only the newest answer matters."""
        self.cancel(name)
        self.start(name, work)

    def cancel(self, name: str) -> None:
        """Ask every task of this name to end."""
        for task, held in self._tasks.items():
            if held == name:
                task.cancel()

    def is_running(self, name: str) -> bool:
        """Whether a task of this name has not ended yet."""
        return name in self._tasks.values()

    async def close(self) -> None:
        """Cancel all, and wait until each has really ended. Nothing starts afterwards."""
        self._closed = True
        for task in tuple(self._tasks):
            task.cancel()
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))
            # The callbacks that forget ended tasks run in the loop's next round.
            await asyncio.sleep(0)

    def _ended(self, task: asyncio.Task[None]) -> None:
        name = self._tasks.pop(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._report(error, name)
