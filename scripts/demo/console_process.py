"""The real console as a process of its own, driven through its `--automation` lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

ANSWER_SECONDS = 60.0
STOP_SECONDS = 20.0


class DemoError(Exception):
    """Something did not hold; the message says what."""


CONSOLE = (sys.executable, "-m", "console")
"""The console from source."""


class ConsoleProcess:
    """Starts `command --automation` with its embedded backend in `data` (None: its own choice).

    `environment` is all that the console sees of one; None: the environment of this process.
    """

    def __init__(
        self,
        command: Sequence[str],
        data: Path | None,
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        given = os.environ if environment is None else environment
        place = [] if data is None else ["--data", str(data)]
        self._log = log.open("wb")
        self._process = subprocess.Popen(
            [*command, "--automation", *place],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={"QT_QPA_PLATFORM": "offscreen", **given},
        )
        self._answers: Queue[dict[str, Any]] = Queue()
        self._reader = Thread(target=self._read, name="console-answers", daemon=True)
        self._reader.start()

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
        status = self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout, self._log):
            if pipe is not None:
                pipe.close()
        return status

    def _read(self) -> None:
        stdout = self._process.stdout
        if stdout is None:
            return
        for line in stdout:
            self._answers.put(json.loads(line))
        self._answers.put({"ok": False, "error": "the console ended"})
