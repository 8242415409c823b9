"""Bugs are shown once each, and logged without values."""

from __future__ import annotations

import pytest

from console.runtime.crash import CrashReporter, CrashWindow
from tests.support.watch import ExpectedLogs


def broken(value: str) -> None:
    raise ValueError(value)


def caught(value: str) -> BaseException:
    try:
        broken(value)
    except ValueError as error:
        return error
    raise AssertionError("it did not fail")


def test_the_same_place_is_shown_once_and_counted(expected_logs: ExpectedLogs) -> None:
    shown: list[str] = []
    reporter = CrashReporter(shown.append)
    with expected_logs("bug in painting: ValueError") as lines:
        reporter(caught("Naledi"), "painting")
        reporter(caught("Sipho"), "painting")
    assert len(shown) == len(lines) == 1
    assert reporter.counts == (2,)
    assert "painting" in shown[0]
    assert "Naledi" not in lines[0]  # a value may be somebody's name


def test_another_place_is_another_bug(expected_logs: ExpectedLogs) -> None:
    shown: list[str] = []
    reporter = CrashReporter(shown.append)
    with expected_logs("bug in a window"):
        reporter(caught("x"), "a window")
        reporter(KeyError("y"), "a window")
    assert len(shown) == 2


@pytest.mark.usefixtures("theme")
def test_the_window_gathers_details(expected_logs: ExpectedLogs) -> None:
    reporter = CrashReporter()
    with expected_logs("bug in"):
        reporter(caught("first"), "the event loop")
        reporter(KeyError("second"), "a window")
    window = reporter._window
    assert isinstance(window, CrashWindow)
    assert window.isVisible()
    assert "first" in window.details
    assert "second" in window.details
    window.close()
    window.deleteLater()
