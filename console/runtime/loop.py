"""One asyncio loop on Qt's own: the only file of the console that knows qasync.

Signals (see `signals.py`) reach Python while Qt sleeps through a wake-up descriptor.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from PySide6.QtCore import QSocketNotifier
from PySide6.QtWidgets import QApplication

from console.runtime.signals import end_at_once, end_when_asked

# PySide6 must be imported before qasync, and named, or qasync looks for another binding.
os.environ.setdefault("QT_API", "pyside6")
import qasync

OnError = Callable[[BaseException, str], None]
"""Told of an error that nobody awaited: the error, and where it came from in a few words."""

WORKERS = 4


def run(
    main: Callable[[], Coroutine[Any, Any, int]], application: QApplication, on_error: OnError
) -> int:
    """Run `main()` to its end and return its exit status; 130 when a signal ended it.

    A signal cancels `main()`; while that cleans up, and before and after, one ends the process.
    Closing the last window does not end the application: `main` does, after its own clean-up.
    Errors in slots, timers and forgotten tasks go to `on_error`.
    """
    application.setQuitOnLastWindowClosed(False)
    with (
        end_at_once(),
        _slot_errors(on_error),
        asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application)) as runner,
    ):
        loop = runner.get_loop()
        loop.set_exception_handler(lambda _, context: _loop_error(context, on_error))
        # Without this qasync would make threads of Qt's, whose end can abort the process.
        workers = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="bursar-work")
        loop.set_default_executor(workers)
        try:
            return runner.run(_ended_by_signals(main))
        except asyncio.CancelledError:
            return 128 + signal.SIGINT


async def _ended_by_signals(main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()

    def cancel() -> None:
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)

    with _woken_by_signals(), end_when_asked(cancel):
        return await main()


@contextmanager
def _woken_by_signals() -> Iterator[None]:
    """Python runs signal handlers between its own instructions; this makes Qt execute some."""
    reading, writing = socket.socketpair()
    for end in (reading, writing):
        end.setblocking(False)  # noqa: FBT003 - the socket's own signature
    notifier = QSocketNotifier(reading.fileno(), QSocketNotifier.Type.Read)
    notifier.activated.connect(lambda: reading.recv(64))
    before = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        notifier.setEnabled(False)
        reading.close()
        writing.close()


@contextmanager
def _slot_errors(on_error: OnError) -> Iterator[None]:
    before = sys.excepthook

    def hook(_kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        on_error(error.with_traceback(trace), "a window")

    sys.excepthook = hook
    try:
        yield
    finally:
        sys.excepthook = before


def _loop_error(context: Mapping[str, Any], on_error: OnError) -> None:
    error = context.get("exception")
    if not isinstance(error, BaseException):
        error = RuntimeError(str(context.get("message", "error in the event loop")))
    on_error(error, "the event loop")
