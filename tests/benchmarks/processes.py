"""Other processes of a benchmark: JSON lines in, JSON lines out, one answer for each command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from typing import Any

Answer = dict[str, Any]
ANSWER_SECONDS = 120.0
_STOP_SECONDS = 20.0


class BenchError(Exception):
    """A benchmark cannot run; the message says why."""


class Child:
    """`python -m module arguments`. What it writes to standard error goes to `log`."""

    def __init__(
        self, module: str, *arguments: str, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._log = log.open("w+b")
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **(environment or {})},
        )
        self._answers: Queue[Answer] = Queue()
        threading.Thread(target=self._read, name=module, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def do(self, action: str, **arguments: object) -> Answer:
        """One command and its answer. Raises BenchError when the child says no."""
        self.tell(action, **arguments)
        return self.answer()

    def tell(self, action: str, **arguments: object) -> None:
        """A command whose answer is taken later."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": action, **arguments}).encode() + b"\n")
        self._process.stdin.flush()

    def answer(self) -> Answer:
        try:
            answer = self._answers.get(timeout=ANSWER_SECONDS)
        except Empty:
            raise BenchError(f"no answer came; {self._last_line()}") from None
        if not answer.get("ok", True):
            raise BenchError(f"{answer.get('error', answer)}; {self._last_line()}")
        return answer

    def stop(self) -> None:
        """Close its standard input, which ends it, and wait."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _last_line(self) -> str:
        self._log.seek(0)
        return (self._log.read().decode(errors="replace").splitlines() or ["no log"])[-1]

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._answers.put(json.loads(line))
        self._answers.put({"ok": False, "error": "the process ended"})


@contextmanager
def running(child: Child) -> Iterator[Child]:
    """Stopped at the end."""
    try:
        yield child
    finally:
        child.stop()


def say(**answer: object) -> None:
    """A child's answer."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def commands() -> Iterator[Answer]:
    """What a child is told, until its standard input ends."""
    for line in sys.stdin:
        yield json.loads(line)


def on_commands(take: Callable[[Answer | None], object]) -> None:
    """Give each command to `take` in a thread of its own, None at the end."""

    def read() -> None:
        for command in commands():
            take(command)
        take(None)

    threading.Thread(target=read, name="commands", daemon=True).start()


def resident_kib(pid: int) -> float | None:
    """The memory that a process holds now, in KiB; None where the system does not say."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024
