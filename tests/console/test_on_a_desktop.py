"""The whole console as a window under X11, on a desktop that has a tray."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts.demo.console_process import CONSOLE, ConsoleProcess, DemoError
from scripts.demo.student import Student
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.console.desktop import Desktop

PROGRAMS = ("Xvfb", "dbus-daemon")


@pytest.fixture
def desktop() -> Iterator[Desktop]:
    if not all(shutil.which(program) for program in PROGRAMS):
        pytest.skip(f"needs {' and '.join(PROGRAMS)}")
    from tests.console.desktop import open_desktop  # noqa: PLC0415 - its library is Linux's own

    with open_desktop() as made:
        yield made


def can(console: ConsoleProcess, action: str) -> bool:
    """Do it; False when the console says that it cannot."""
    try:
        console.do(action)
    except DemoError:
        return False
    return True


def pay_and_follow(console: ConsoleProcess, desktop: Desktop, student: Student) -> None:
    course = min(student.cards(), key=lambda card: int(card["price_cents"]))["course"]
    reference = student.enroll(course)
    assert not can(console, "approve")  # nothing is selected
    student.submit(course)
    title, text = desktop.notifications.get(timeout=30)
    assert title == "Bursar"
    assert text.startswith(f"New payment {reference[:4]}-{reference[4:]}, R\u00a0")
    assert "Nomsa" not in text
    wait_until(lambda: can(console, "approve"), what="the click selected the row")
    student.wait_for_label(course, "Continue Course")
    assert desktop.notifications.empty()


def test_a_new_payment_is_notified_and_a_click_opens_it(desktop: Desktop, tmp_path: Path) -> None:
    console = ConsoleProcess(
        CONSOLE,
        tmp_path / "data",
        tmp_path / "console.log",
        environment={
            **desktop.environment,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        },
    )
    try:
        state = console.wait_until_live()
        with closing(Student(str(state["backend_url"]), "Nomsa Secret")) as student:
            pay_and_follow(console, desktop, student)
    finally:
        status = console.stop()
    assert status == 0
    assert (tmp_path / "console.log").read_text() == ""
