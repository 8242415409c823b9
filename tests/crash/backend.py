"""The real backend as a process that is killed and started again on the same port and files."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from core.backend.web.server import bind
from tests.crash.house import House
from tests.support.live_backend import http_client
from tests.support.node_process import node_environment
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
_PAGE_ROWS = 500


class Reservation:
    """A port that nobody else gets while the backend is down; nothing listens here."""

    def __init__(self) -> None:
        self._bound = bind("127.0.0.1", 0)
        self.port: int = self._bound.getsockname()[1]

    def close(self) -> None:
        self._bound.close()


class BackendProcess:
    """`start`, `kill`, `start`, ...; what it says on standard error is added to `log`."""

    def __init__(self, house: House) -> None:
        self.log = house.folder / "backend.log"
        self._house = house
        self._process: subprocess.Popen[bytes] | None = None
        self._http = http_client(house.url)
        self._started = 0.0

    def start(self) -> None:
        """Does not wait; see `wait_until_ready`."""
        self._started = time.monotonic()
        with self.log.open("ab") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "core.backend", "serve"],
                cwd=ROOT,
                env=node_environment(self._house.folder, self._house.port),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stream,
            )

    def wait_until_ready(self) -> float:
        """Milliseconds from the start of the process to the first "ready"."""
        wait_until(self._is_ready, timeout=START_SECONDS, what="a backend that is ready")
        return (time.monotonic() - self._started) * 1e3

    def kill(self) -> None:
        """At once: no signal handler, no `finally`, nothing is flushed."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)

    def close(self) -> None:
        self.kill()
        self._http.close()

    def pending(self) -> set[tuple[str, int]]:
        """(enrollment, version) of everything that waits, over HTTP."""
        found: set[tuple[str, int]] = set()
        wanted: dict[str, Any] = {"limit": _PAGE_ROWS}
        while True:
            answer = self._http.get(
                "/api/enrollments/pending",
                params=wanted,
                headers={"Authorization": f"Bearer {self._house.watcher}"},
            )
            page = answer.raise_for_status().json()
            found |= {(row["enrollment"], row["version"]) for row in page["rows"]}
            if page["next_after"] is None:
                return found
            wanted["after"] = page["next_after"]

    def _is_ready(self) -> bool:
        assert self._process is not None, "it was never started"
        assert self._process.poll() is None, f"the backend ended by itself: see {self.log}"
        try:
            return self._http.get("/health/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False
