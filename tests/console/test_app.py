"""The real console in a process of its own, with its own backend child, driven from here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QImage

from tests.support.live_backend import LiveBackend
from tests.support.waiting import wait_until

# A computer whose keyring keeps nothing.
NO_KEYRING = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}


class Console:
    """A console that takes commands; each waits for its answer."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "console", "--data", str(data), "--automation", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen", **NO_KEYRING},
        )

    def do(self, what: str, /, **fields: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": what, **fields}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def quit(self) -> tuple[int, str]:
        """The exit status and what it wrote to standard error."""
        self.do("quit")
        _, errors = self._process.communicate(timeout=30)
        return self._process.returncode, errors

    @property
    def process(self) -> subprocess.Popen[str]:
        return self._process

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate(timeout=30)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Console]:
    console = Console(tmp_path)
    yield console
    console.stop()


def children_of(pid: int) -> list[int]:
    """Linux only."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid:
                found.append(int(entry.name))
    return found


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_without_configuration_it_opens_the_demo_and_decides(demo: Console, tmp_path: Path) -> None:
    live = demo.do("wait_live", seconds=30)
    assert live["ok"], live
    assert live["verified_to"] > 0
    assert live["pending"] > 0
    assert not live["alarm"]
    shot = tmp_path / "pending.png"
    assert demo.do("size", width=1280, height=800)["ok"]
    assert demo.do("screenshot", path=str(shot))["ok"]
    assert QImage(str(shot)).width() == 1280
    assert not demo.do("select", reference="NOTHING")["ok"]
    assert not demo.do("nonsense")["ok"]
    assert demo.do("open", screen="settings")["ok"]
    assert demo.do("theme", name="dark")["ok"]
    status, errors = demo.quit()
    assert (status, errors) == (0, "")
    log = (tmp_path / "logs" / "console.log").read_text()
    assert "ERROR" not in log


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_child_outlives_it(demo: Console, number: signal.Signals) -> None:
    assert demo.do("wait_live", seconds=30)["ok"]
    children = children_of(demo.process.pid)
    assert children
    demo.process.send_signal(number)
    demo.process.wait(timeout=30)
    wait_until(lambda: not any(map(is_running, children)), what="the child's end", timeout=30)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_when_the_child_dies_it_says_so(demo: Console) -> None:
    assert demo.do("wait_live", seconds=30)["ok"]
    (child,) = children_of(demo.process.pid)
    os.kill(child, signal.SIGKILL)
    wait_until(lambda: demo.do("state").get("page") == "StartPage", what="the start page")
    assert demo.quit()[0] == 0


def test_a_second_start_continues(tmp_path: Path) -> None:
    sizes = []
    for _ in range(2):
        console = Console(tmp_path)
        try:
            sizes.append(console.do("wait_live", seconds=30)["verified_to"])
            assert console.quit() == (0, "")
        finally:
            console.stop()
    assert sizes[1] >= sizes[0]


def test_a_backend_that_needs_a_sign_in_gets_the_sign_in_page(
    live_backend: LiveBackend, tmp_path: Path
) -> None:
    console = Console(tmp_path, "--backend", live_backend.url)
    try:
        wait_until(lambda: console.do("state").get("page") == "SignInPage", what="the page")
        assert console.quit() == (0, "")
    finally:
        console.stop()


def test_a_backend_that_is_not_there_is_told(tmp_path: Path) -> None:
    console = Console(tmp_path, "--backend", "http://127.0.0.1:9")
    try:
        wait_until(lambda: console.do("state")["connection"] == "none", what="the start")
        assert console.quit()[0] == 0
    finally:
        console.stop()


def test_the_first_window_needs_nothing_heavy() -> None:
    heavy = ("httpx", "websockets", "pydantic", "cryptography", "sqlalchemy", "keyring", "asyncio")
    check = f"import sys, console.__main__; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.strip() == "[]"


def test_the_console_never_loads_the_backend_or_its_database_library() -> None:
    check = (
        "import sys, console.app;"
        "print([m for m in ('sqlalchemy', 'core.backend', 'fastapi') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.strip() == "[]"
