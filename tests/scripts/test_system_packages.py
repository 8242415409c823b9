"""What is missing is found by name, and installed only by those who may."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scripts.system_packages import QT, WINDOW, apt_line, install, missing_libraries
from scripts.system_packages import missing_programs as missing
from tests.scripts.conftest import FakeProgram

pytestmark = pytest.mark.usefixtures("desktop_user")

APT = "apt-get -q -y install --no-install-recommends libgl1 libegl1"


def test_missing_libraries_are_named_by_package(linker: Callable[[set[str]], None]) -> None:
    linker({"libGL.so.1", "libxcb-cursor.so.0"})
    assert missing_libraries(QT) == ["libgl1"]
    assert missing_libraries(WINDOW) == ["libxcb-cursor0"]


def test_nothing_is_missing_where_all_is_there(linker: Callable[[set[str]], None]) -> None:
    linker(set())
    assert missing_libraries({**QT, **WINDOW}) == []


def test_missing_programs_are_named_by_package(program: FakeProgram) -> None:
    program("chromium")
    assert missing({"chromium": "chromium", "Xvfb": "xvfb"}) == ["xvfb"]


def test_sudo_without_a_password_installs(
    program: FakeProgram, calls: Callable[[], list[str]]
) -> None:
    program("apt-get")
    program("true")
    program("sudo", runs=True)
    assert install(["libgl1", "libegl1"])
    assert [line for line in calls() if line.startswith("apt-get")] == ["apt-get -q update", APT]


def test_sudo_that_asks_a_password_is_left_alone(
    program: FakeProgram, calls: Callable[[], list[str]]
) -> None:
    program("apt-get")
    program("sudo", code=1)
    assert not install(["libgl1"])
    assert calls() == ["sudo -n true"]


def test_a_system_without_apt_is_left_alone(
    program: FakeProgram, calls: Callable[[], list[str]]
) -> None:
    program("sudo", runs=True)
    assert not install(["libgl1"])
    assert calls() == []


def test_root_installs_and_a_failure_is_told(
    program: FakeProgram, calls: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    program("apt-get", code=100)
    assert not install(["libgl1", "libegl1"])
    assert calls() == ["apt-get -q update", APT]


def test_the_line_for_people_is_exact() -> None:
    expected = "sudo apt-get install --no-install-recommends libgl1 libegl1"
    assert apt_line(["libgl1", "libegl1"]) == expected
