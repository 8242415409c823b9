"""The environment: which Python, when it is made again, and what a person is told."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import environment
from scripts.environment import SetupError, choose_python, prepare
from tests.scripts.conftest import FakeProgram

pytestmark = pytest.mark.usefixtures("desktop_user")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: FakeProgram) -> Path:
    """A project whose environment holds a program that passes for Python 3.11."""
    root = tmp_path / "project"
    root.mkdir()
    for name, file in (("LOCK", "requirements.lock"), ("PROJECT", "pyproject.toml")):
        (root / file).write_text(name, encoding="utf-8")
        monkeypatch.setattr(environment, name, root / file)
    monkeypatch.setattr(environment, "ROOT", root)
    monkeypatch.setattr(environment, "VENV", root / ".venv")
    (root / ".venv" / "bin").mkdir(parents=True)
    program("python", output="3 11").rename(root / ".venv" / "bin" / "python")
    return root


def _installs(calls: list[str]) -> list[str]:
    return [line.partition("--quiet ")[2] for line in calls if " install " in line]


def test_installs_once_and_again_only_after_a_change(
    project: Path, linker: Callable[[set[str]], None], calls: Callable[[], list[str]]
) -> None:
    linker(set())
    once = [
        f"--require-hashes -r {project / 'requirements.lock'}",
        f"--no-deps --no-build-isolation -e {project}",
    ]
    prepare()
    assert _installs(calls()) == once
    prepare()
    assert _installs(calls()) == once
    (project / "requirements.lock").write_text("changed", encoding="utf-8")
    prepare()
    assert _installs(calls()) == once * 2


def test_a_failed_install_is_told_and_leaves_no_stamp(
    project: Path, linker: Callable[[set[str]], None]
) -> None:
    linker(set())
    python = project / ".venv" / "bin" / "python"
    working = python.read_text(encoding="utf-8")
    # The version is asked for with -c; pip is called with -m and fails.
    python.write_text(working.replace("exit 0", '[ "$1" = "-c" ]'), encoding="utf-8")
    with pytest.raises(SetupError, match="could not be installed"):
        prepare()
    assert not (project / ".venv" / "bursar-setup.txt").exists()


def test_without_qts_libraries_the_exact_line_is_named(
    project: Path, linker: Callable[[set[str]], None]
) -> None:
    assert project.exists()
    linker({"libGL.so.1", "libxcb-cursor.so.0"})
    line = "sudo apt-get install --no-install-recommends libgl1 libxcb-cursor0"
    with pytest.raises(SetupError, match=line):
        prepare()


def test_without_x11s_libraries_the_setup_goes_on(
    project: Path, linker: Callable[[set[str]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    linker({"libxcb-cursor.so.0"})
    prepare()
    line = "sudo apt-get install --no-install-recommends libxcb-cursor0"
    assert line in capsys.readouterr().out
    assert (project / ".venv" / "bursar-setup.txt").exists()


def test_this_python_is_taken_when_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHON", raising=False)
    assert choose_python() == [sys.executable]


def test_another_python_is_found_on_the_path(
    program: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHON", raising=False)
    monkeypatch.setattr(sys, "executable", str(program("python3", output="3 14")))
    program("python3.12", output="3 12")
    assert choose_python() == ["python3.12"]


@pytest.mark.parametrize("version", ["3 9", "3 14", "4 0"])
def test_a_named_python_out_of_range_is_refused(
    program: FakeProgram, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setenv("PYTHON", str(program("my-python", output=version)))
    with pytest.raises(SetupError, match=r"needs Python 3\.11, 3\.12 or 3\.13.*my-python"):
        choose_python()
