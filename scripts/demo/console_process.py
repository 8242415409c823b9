"""The real console as a process of its own, driven through its `--automation` lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

ANSWER_SECONDS = 60.0
STOP_SECONDS = 20.0


class DemoError(Exception):
    """Something did not hold; the message says what."""


class ConsoleProcess:
    """Starts `python -m console --automation` with its embedded backend in `data`."""

    def __init__(self, data: Path, log: Path) -> None:
        environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ}
        self._log = log.open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "console", "--automation", "--data", str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment,
        )
        self._answers: Queue[dict[str, Any]] = Queue()
        Thread(target=self._read, name="console-answers", daemon=True).start()

    def do(self, action: str, **arguments: object) -> dict[str, Any]:
        """One automation command and its answer. Raises DemoError when the console says no."""
        stdin = self._process.stdin
        if stdin is None:
            raise DemoError("the console has no standard input")
        stdin.write(json.dumps({"do": action, **arguments}).encode() + b"\n")
        stdin.flush()
        try:
            answer = self._answers.get(timeout=ANSWER_SECONDS)
        except Empty:
            raise DemoError(f"the console did not answer {action!r}") from None
        if not answer.get("ok"):
            raise DemoError(f"the console could not {action}: {answer.get('error', answer)}")
        return answer

    def wait_until_live(self) -> dict[str, Any]:
        """The console's state once it shows live data, whatever it had to start first."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            state = self.do("state")
            if state.get("connection") == "live":
                return state
            time.sleep(0.05)
        raise DemoError(f"the console did not go live; its log is {self._log.name}")

    def stop(self) -> int:
        """Asks the console to quit and waits; its embedded backend ends with it."""
        if self._process.poll() is None:
            try:
                self.do("quit")
                self._process.wait(STOP_SECONDS)
            except (DemoError, OSError, subprocess.TimeoutExpired):
                self._process.kill()
        self._log.close()
        return self._process.wait()

    def _read(self) -> None:
        stdout = self._process.stdout
        if stdout is None:
            return
        for line in stdout:
            self._answers.put(json.loads(line))
        self._answers.put({"ok": False, "error": "the console ended"})
