"""A console as a process that is killed and started again on the same data folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from queue import Empty, Queue
from typing import Any
from uuid import UUID

from tests.crash.backend import ROOT
from tests.crash.file_keyring import CLASS, VARIABLE
from tests.crash.house import House
from tests.crash.journal import Journal, Told
from tests.support.live_template import PASSWORD

LIVE_SECONDS = 60.0
_ANSWER_SECONDS = 60.0


class ConsoleError(Exception):
    """The console did not do what was asked; the message says what."""


class ConsoleProcess:
    """One run. `windowed`: the console itself, else its desk without Qt.

    Whatever it says is noted in the journal as soon as it is read; `kill` reads to the end of it.
    """

    def __init__(self, house: House, journal: Journal, *, windowed: bool, seed: str) -> None:
        self.windowed = windowed
        self._journal = journal
        self._answers: Queue[dict[str, Any]] = Queue()
        self._live = threading.Event()
        self._live_at = 0.0
        with (house.data / "console.err").open("ab") as stream:
            self._started = time.monotonic()
            self._process = subprocess.Popen(
                _command(house, windowed=windowed, seed=seed), cwd=ROOT, env=_environment(house),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stream,
            )  # fmt: skip
        self._reader = threading.Thread(target=self._read, name="console", daemon=True)
        self._reader.start()

    def wait_until_live(self) -> float:
        """Milliseconds from the start of the process to its first live list."""
        if not self._live.wait(LIVE_SECONDS):
            raise ConsoleError("the console did not come live")
        return (self._live_at - self._started) * 1e3

    def ask(self, action: str, **arguments: object) -> dict[str, Any]:
        """One command, and its answer. Raises ConsoleError."""
        assert self._process.stdin is not None
        try:
            line = json.dumps({"do": action, **arguments})
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
            answer = self._answers.get(timeout=_ANSWER_SECONDS)
        except (OSError, Empty) as error:
            raise ConsoleError(f"the console did not answer {action!r}") from error
        if not answer["ok"]:
            raise ConsoleError(f"the console could not {action}: {answer.get('error')}")
        return answer

    def everything(self) -> dict[UUID, Told]:
        """What its queue holds."""
        items = [Told.read(line) for line in self.ask("items")["items"]]
        return {told.id: told for told in items}

    def rows(self) -> set[tuple[str, int]]:
        """(enrollment, version) of its pending list."""
        return {(enrollment, version) for enrollment, version in self.ask("rows")["rows"]}

    def kill(self) -> None:
        """At once; what it had said by then is still read."""
        self._process.kill()
        self._process.wait(20)
        self._reader.join(20)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith(b"\n"):  # the last one may have been cut off
                self._take(json.loads(line))
        self._answers.put({"ok": False, "error": "it ended"})

    def _take(self, line: Mapping[str, Any]) -> None:
        kind = line.get("event")
        if kind is None:
            self._answers.put(dict(line))
        elif kind == "item":
            self._journal.note_decided(Told.read(line))
        elif kind == "live":
            if not self._live.is_set():
                self._live_at = time.monotonic()
            self._live.set()
        elif kind == "signed_in_again":
            self._journal.note_sign_in()
        else:
            self._journal.note_odd(f"a bug of the console: {line.get('what')}")


def _command(house: House, *, windowed: bool, seed: str) -> list[str]:
    who, data = house.officer.email, str(house.data)
    if windowed:
        own = ["--automation", "--data", data, "--backend", house.url]
        return [sys.executable, "-m", "tests.crash.window", who, PASSWORD, seed, *own]
    return [sys.executable, "-m", "tests.crash.officer", house.url, data, who, PASSWORD, seed]


def _environment(house: House) -> dict[str, str]:
    return {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHON_KEYRING_BACKEND": CLASS,
        VARIABLE: str(house.keyring),
    }
