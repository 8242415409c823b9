"""Asynchronous window tests run on qasync's loop, as the console does.

A folder of such tests has two lines in its conftest:
    from tests.support.qt_loop import pytest_asyncio_loop_factories, window_application
    __all__ = ["pytest_asyncio_loop_factories", "window_application"]
Inside an `async def` test use `until()`, never `qtbot.wait...` or `dialog.exec()`: those wedge
the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextvars import Context
from typing import Any

# PySide6 comes before qasync, so that qasync takes it.
import PySide6.QtWidgets
import pytest
import qasync

_PAUSE_SECONDS = 0.005


class _PausingLoop(qasync.QEventLoop):
    """pytest-qt handles Qt's events after each test, while no loop runs: what is due then waits."""

    def call_later(  # type: ignore[override]  # narrower only for the type checker
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        def when_running() -> None:
            if self.is_running():
                callback(*args)
            elif not self.is_closed():
                super(_PausingLoop, self).call_later(_PAUSE_SECONDS, when_running, context=context)

        return super().call_later(delay, when_running, context=context)


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """pytest-asyncio's hook: every asynchronous test of this folder gets a fresh qasync loop."""
    return {"qasync": _PausingLoop}


@pytest.fixture(scope="session", autouse=True)
def window_application(qapp: PySide6.QtWidgets.QApplication) -> PySide6.QtWidgets.QApplication:
    """The application must be there before the first loop; closing a window must not end a test."""
    qapp.setQuitOnLastWindowClosed(False)
    return qapp
