"""A process of its own that has a Qt application and the product's loop."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

# A shell without job control starts `command &` with SIGINT ignored, and every process below it
# inherits that: a suite that runs in the background would test something else.
_HEAD = """
import asyncio, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from console.runtime.loop import run
"""

_APPLICATION = """
application = QApplication(["test"])
def told(error, where):
    print("told", where, type(error).__name__, flush=True)
"""


@contextmanager
def child(body: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Runs `body`, with what it needs imported; killed at the end whatever happens."""
    code = _HEAD + textwrap.dedent(body)
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "QT_QPA_PLATFORM": "offscreen",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        },
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def child_run(body: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The same, with an `application`, and `told` for errors."""
    with child(_APPLICATION + textwrap.dedent(body), *arguments) as process:
        yield process
