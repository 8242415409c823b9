"""The embedded backend: real child processes that start, talk, hang and die."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import urllib.parse
from pathlib import Path

import pytest

from core.client.embedded import EmbeddedBackend, backend_command
from core.client.errors import EmbeddedError
from tests.support.waiting import until

# A child that behaves: reads its token, prints its port, and ends with its standard input.
GOOD = """
import json, pathlib, sys
token = json.loads(sys.stdin.readline())["token"]
pathlib.Path(sys.argv[-1], "seen.json").write_text(json.dumps([token, sys.argv[1:]]))
print(json.dumps({"port": 4321}), flush=True)
NOISE
sys.stdin.read()
pathlib.Path(sys.argv[-1], "ended").write_text("")
"""


class Child:
    def __init__(self, folder: Path, program: str, **limits: float) -> None:
        self.exits: list[int] = []
        self.folder = folder
        self.backend = EmbeddedBackend(
            folder,
            on_exit=self.exits.append,
            command=[sys.executable, "-c", program],
            start_seconds=limits.get("start", 20.0),
            grace_seconds=limits.get("grace", 20.0),
        )

    def is_running(self) -> bool:
        assert self.backend.pid is not None
        try:
            os.kill(self.backend.pid, 0)
        except ProcessLookupError:
            return False
        return True


def good(noise: str = "") -> str:
    return GOOD.replace("NOISE", noise)


async def test_it_gets_its_token_tells_its_port_and_ends_with_its_input(tmp_path: Path) -> None:
    child = Child(tmp_path, good())
    await child.backend.start()
    assert child.backend.url == "http://127.0.0.1:4321"
    token, arguments = json.loads((tmp_path / "seen.json").read_text())
    assert token == child.backend.token
    assert arguments == ["serve", "--embedded", "--data", str(tmp_path)]
    assert token not in " ".join(arguments)
    await child.backend.stop()
    assert (tmp_path / "ended").exists()
    assert not child.is_running()
    assert child.exits == []
    await child.backend.stop()


async def test_a_talkative_child_never_stops_at_a_full_pipe(tmp_path: Path) -> None:
    noise = """
for number in range(20_000):
    print("x" * 50)
    print(f"line {number}", file=sys.stderr)
sys.stdout.flush()
pathlib.Path(sys.argv[-1], "written").write_text("")
"""
    child = Child(tmp_path, good(noise))
    await child.backend.start()
    await until((tmp_path / "written").exists)
    await child.backend.stop()
    assert len(child.backend.last_lines.splitlines()) < 1_000  # the end of it, not all
    assert len(child.backend.last_lines) < 10_000


@pytest.mark.parametrize(
    "program",
    [
        "raise SystemExit('no disk')",
        "import sys; sys.stdin.readline(); raise SystemExit('no disk')",
        "print('hello'); raise SystemExit('no disk')",
        "print('{\"port\": 0}'); raise SystemExit('no disk')",
        "print('[]'); raise SystemExit('no disk')",
    ],
)
async def test_a_child_that_does_not_come_up_is_a_typed_error(tmp_path: Path, program: str) -> None:
    child = Child(tmp_path, program)
    with pytest.raises(EmbeddedError) as failed:
        await child.backend.start()
    assert "no disk" in failed.value.details
    assert not child.is_running()
    assert child.exits == []


async def test_a_program_that_is_not_there_is_a_typed_error(tmp_path: Path) -> None:
    backend = EmbeddedBackend(tmp_path, on_exit=lambda _: None, command=[str(tmp_path / "missing")])
    with pytest.raises(EmbeddedError):
        await backend.start()
    await backend.stop()


async def test_a_child_that_says_nothing_is_ended_after_the_time_limit(tmp_path: Path) -> None:
    child = Child(tmp_path, "import sys; sys.stdin.read()", start=0.05)
    with pytest.raises(EmbeddedError, match="in time"):
        await child.backend.start()
    assert not child.is_running()


async def test_a_child_that_does_not_end_is_killed(tmp_path: Path) -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsys.stdin.read()"
    hang = f"{stubborn}\nimport threading; threading.Event().wait()"
    child = Child(tmp_path, good(hang), grace=0.2)
    await child.backend.start()
    await child.backend.stop()
    assert not child.is_running()
    assert child.exits == []


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
async def test_a_child_that_dies_is_reported(tmp_path: Path) -> None:
    child = Child(tmp_path, good())
    await child.backend.start()
    assert child.backend.pid is not None
    os.kill(child.backend.pid, signal.SIGKILL)
    await until(lambda: child.exits == [-signal.SIGKILL])
    await child.backend.stop()


async def test_cancelling_the_start_leaves_no_child(tmp_path: Path) -> None:
    child = Child(tmp_path, good().replace("print(json", "sys.stdin.read(); print(json"))
    task = asyncio.create_task(child.backend.start())
    await until((tmp_path / "seen.json").exists)
    task.cancel()
    await asyncio.wait([task])
    assert not child.is_running()


async def test_no_threads_stay(tmp_path: Path) -> None:
    child = Child(tmp_path, good())
    await child.backend.start()
    await child.backend.stop()
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("embedded backend")]


def test_how_the_backend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert backend_command() == [sys.executable, "-m", "core.backend"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(Path("bundle", "bursar")))
    assert backend_command() == [str(Path("bundle", "bursar-backend"))]


def test_each_token_is_its_own() -> None:
    one, two = (EmbeddedBackend(Path(), on_exit=lambda _: None).token for _ in range(2))
    assert one != two
    assert len(one) >= 32
    assert urllib.parse.quote(one) == one
