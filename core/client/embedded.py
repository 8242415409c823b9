"""`EmbeddedBackend`: the backend as a child process of the console, on this computer only."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO

from core.client.errors import EmbeddedError

START_SECONDS = 60.0
GRACE_SECONDS = 8.0
_MAX_LINE = 4096
_KEPT_LINES = 40


def backend_command() -> list[str]:
    """How to start the backend: from source, or as the second executable of a frozen bundle."""
    if getattr(sys, "frozen", False):
        name = "bursar-backend.exe" if sys.platform == "win32" else "bursar-backend"
        return [str(Path(sys.executable).with_name(name))]
    return [sys.executable, "-m", "core.backend"]


class EmbeddedBackend:
    """Start it, use `url` and `token`, stop it. `on_exit(code)` is called if it ends by itself.

    The child ends when its standard input closes, so it cannot outlive the console. Threads do the
    waiting: child processes of asyncio need a loop that watches them, and not every loop does.
    """

    def __init__(
        self,
        data: Path,
        *,
        on_exit: Callable[[int], None],
        command: Sequence[str] | None = None,
        start_seconds: float = START_SECONDS,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self._data = data
        self._on_exit = on_exit
        self._command = list(command) if command is not None else backend_command()
        self._start_seconds = start_seconds
        self._grace_seconds = grace_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._threads: list[threading.Thread] = []
        self.token = secrets.token_urlsafe(32)
        """Good once: for the sessions, and as the code of the first administrator's device."""
        self.url = ""

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def last_lines(self) -> str:
        """The end of what the child wrote, for a person who looks for the cause."""
        return "\n".join(self._lines)

    async def start(self) -> None:
        """Start the child and wait for its port. Raises EmbeddedError with nothing left running."""
        port: Future[int] = Future()
        try:
            process = await asyncio.to_thread(self._spawn)
        except OSError as error:
            raise EmbeddedError("The backend program cannot be started.", str(error)) from error
        self._watch(process, port, asyncio.get_running_loop())
        try:
            number = await asyncio.wait_for(asyncio.wrap_future(port), self._start_seconds)
        except (TimeoutError, ValueError) as error:
            await self.stop()
            raise EmbeddedError(_failed(error), self.last_lines) from error
        except BaseException:
            await self.stop()
            raise
        self.url = f"http://127.0.0.1:{number}"

    async def stop(self) -> None:
        """Close its standard input, wait, and kill it if it does not end. Safe to call twice."""
        self._stopping = True
        process = self._process
        if process is not None:
            await asyncio.to_thread(self._end, process)

    def _spawn(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603 - our own program, no shell
            [*self._command, "serve", "--embedded", "--data", str(self._data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Ctrl+C in the terminal is the console's to handle, not the child's.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._process = process
        with contextlib.suppress(OSError):  # if it ended at once, the wait for its port says so
            stdin = _pipe(process.stdin)
            stdin.write(json.dumps({"token": self.token}).encode() + b"\n")
            stdin.flush()
        return process

    def _watch(
        self,
        process: subprocess.Popen[bytes],
        port: Future[int],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        stdout, stderr = _pipe(process.stdout), _pipe(process.stderr)
        self._thread("stdout", lambda: self._read_port(stdout, port))
        self._thread("stderr", lambda: self._drain(stderr))
        self._thread("end", lambda: self._await_end(process, loop))

    def _thread(self, what: str, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=f"embedded backend {what}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _read_port(self, stdout: IO[bytes], port: Future[int]) -> None:
        line = stdout.readline(_MAX_LINE)
        if port.set_running_or_notify_cancel():
            try:
                port.set_result(_parse_port(line))
            except ValueError as error:
                port.set_exception(error)
        self._drain(stdout)

    def _drain(self, pipe: IO[bytes]) -> None:
        # A pipe that nobody reads would stop the child.
        while line := pipe.readline(_MAX_LINE):
            self._lines.append(line.decode(errors="replace").rstrip())

    def _await_end(self, process: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop) -> None:
        code = process.wait()
        if not self._stopping and not loop.is_closed():
            loop.call_soon_threadsafe(self._ended, code)

    def _ended(self, code: int) -> None:
        if not self._stopping and self.url:  # before that, `start` tells
            self._on_exit(code)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(OSError):  # it may be gone already
            _pipe(process.stdin).close()
        try:
            process.wait(self._grace_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for thread in self._threads:
            thread.join(self._grace_seconds)
        if not any(thread.is_alive() for thread in self._threads):
            _pipe(process.stdout).close()
            _pipe(process.stderr).close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("the child was started without pipes")
    return pipe


def _parse_port(line: bytes) -> int:
    """Raises ValueError for anything but the one line that a backend prints."""
    if not line:
        raise ValueError("it ended before it was ready")
    fields = json.loads(line)
    port = fields.get("port") if isinstance(fields, dict) else None
    if type(port) is not int or not 0 < port < 65536:
        raise ValueError("it printed something else than its port")
    return port


def _failed(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "The backend did not become ready in time."
    return "The backend ended before it was ready."
