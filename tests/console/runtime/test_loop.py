"""The real loop in a process of its own: exit status, signals, lost errors."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest

HEAD = """
import asyncio, sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from console.runtime.loop import run
application = QApplication(["test"])
def told(error, where):
    print("told", where, type(error).__name__, flush=True)
"""


def start(body: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HEAD + textwrap.dedent(body)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )


def test_it_gives_the_exit_status_of_its_main() -> None:
    process = start(
        """
        async def main():
            await asyncio.to_thread(print, "from a thread")
            return 3
        sys.exit(run(main, application, told))
        """
    )
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (3, "from a thread\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_after_its_clean_up(number: signal.Signals) -> None:
    process = start(
        """
        async def main():
            print("ready", flush=True)
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                print("cleaned up", flush=True)
        sys.exit(run(main, application, told))
        """
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "cleaned up\n", "")


def test_errors_that_nobody_awaits_are_told() -> None:
    process = start(
        """
        def slot():
            raise ValueError("in a slot")
        async def main():
            loop = asyncio.get_running_loop()
            async def forgotten():
                raise KeyError("in a task")
            task = asyncio.ensure_future(forgotten())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            del task
            QTimer.singleShot(0, slot)
            done = asyncio.Event()
            QTimer.singleShot(1, done.set)
            await done.wait()
            return 0
        sys.exit(run(main, application, told))
        """
    )
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "told a window ValueError" in out
    assert "told the event loop KeyError" in out
