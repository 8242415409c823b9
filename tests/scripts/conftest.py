"""A machine of the test's own: its programs are small shell scripts that write down their calls."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from scripts.system_packages import QT, WINDOW

FakeProgram = Callable[..., Path]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProgram:
    """`program(name, output="", code=0, runs=False)` puts a program on an otherwise empty path.

    Each call is added to `calls` in tmp_path; with `runs` it then runs what it was given, as sudo
    does after its own option.
    """
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(name: str, *, output: str = "", code: int = 0, runs: bool = False) -> Path:
        script = folder / name
        last = 'shift; exec "$@"' if runs else f"exit {code}"
        script.write_text(
            f'#!/bin/sh\necho "{name} $*" >> "{tmp_path}/calls"\n'
            f"/bin/cat <<'END'\n{output}\nEND\n{last}\n",
            encoding="utf-8",
        )
        script.chmod(0o755)
        return script

    return make


@pytest.fixture
def calls(tmp_path: Path) -> Callable[[], list[str]]:
    """What the programs were called with, in order."""

    def read() -> list[str]:
        file = tmp_path / "calls"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    return read


@pytest.fixture
def linker(program: FakeProgram) -> Callable[[set[str]], None]:
    """`linker({...})` makes a dynamic linker that knows every library but these."""

    def make(absent: set[str]) -> None:
        known: Mapping[str, str] = {**QT, **WINDOW}
        lines = [f"\t{name} (libc6,x86-64) => /lib/{name}" for name in known if name not in absent]
        program("ldconfig", output="\n".join(["9 libs found in cache", *lines]))

    return make


@pytest.fixture
def desktop_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not root, whoever runs the tests."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
